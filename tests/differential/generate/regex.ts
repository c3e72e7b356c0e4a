import type { Random } from "../../support/random.ts";

/** A regular expression and a text that it matches, but for anchors within. */
export interface GeneratedRegex {
  readonly source: string;
  readonly sample: string;
}

const ATOMS: readonly GeneratedRegex[] = [
  ..."a b A B c - / 0 9 _ é ß 日".split(" ").map((letter) => ({ source: letter, sample: letter })),
  { source: " ", sample: " " },
  { source: "\\.", sample: "." },
  { source: "\\\\", sample: "\\" },
  { source: "\\*", sample: "*" },
  { source: ".", sample: "x" },
  { source: ".", sample: "\n" },
  { source: "[a-c]", sample: "b" },
  { source: "[a-cX0-9]", sample: "X" },
  { source: "[^a]", sample: "b" },
  { source: "[^a-z/]", sample: "é" },
  { source: "[\\w.-]", sample: "-" },
  { source: "[^\\s]", sample: "b" },
  { source: "\\d", sample: "7" },
  { source: "\\D", sample: "d" },
  { source: "\\w", sample: "B" },
  { source: "\\W", sample: "." },
  { source: "\\s", sample: " " },
  { source: "\\S", sample: "/" },
];
const ASSERTIONS = ["^", "$", "\\b", "\\B", "\\A", "\\z"];
type Quantifier = readonly [source: string, least: number, most: number];
const BOUNDED: readonly Quantifier[] = [["?", 0, 1], ["{2}", 2, 2], ["{1,3}", 1, 3], ["??", 0, 1]];
const UNBOUNDED: readonly Quantifier[] = [
  ["*", 0, 2],
  ["+", 1, 3],
  ["{2,}", 2, 4],
  ["*?", 0, 2],
  ["+?", 1, 2],
];
const EMPTY: GeneratedRegex = { source: "", sample: "" };

/**
 * A regular expression without nested quantifiers, and with one unbounded one at most, on a single
 * character, so that a backtracking matcher can be asked too.
 *
 * @param random Choices.
 */
export function generatedRegex(random: Random): GeneratedRegex {
  const middle = sequence(random, { depth: 2, quantified: true, left: { unbounded: 1 } });
  const start = random.chance(15) ? "^" : "";
  const end = random.chance(15) ? "$" : "";
  return { source: `${start}${middle.source}${end}`, sample: middle.sample };
}

interface Room {
  readonly depth: number;
  /** Whether quantifiers may stand in it. */
  readonly quantified: boolean;
  /** Unbounded quantifiers that the expression may still have. */
  readonly left: { unbounded: number };
}

function sequence(random: Random, room: Room): GeneratedRegex {
  return random.list(() => item(random, room), { least: 1, most: 4 }).reduce(joined, EMPTY);
}

function joined(a: GeneratedRegex, b: GeneratedRegex): GeneratedRegex {
  return { source: a.source + b.source, sample: a.sample + b.sample };
}

function item(random: Random, room: Room): GeneratedRegex {
  if (random.chance(5)) return { source: random.pick(ASSERTIONS), sample: "" };
  const { depth, quantified, left } = room;
  const repeats = quantified && random.chance(30);
  const isGroup = depth > 0 && random.chance(20);
  const inner = isGroup
    ? group(random, { left, depth: depth - 1, quantified: quantified && !repeats })
    : random.pick(ATOMS);
  if (!repeats) return inner;
  // A backtracking matcher tries each way through the branches of a group, at each repetition.
  const isBounded = isGroup || left.unbounded === 0 || random.chance(40);
  if (!isBounded) left.unbounded--;
  const [quantifier, least, most] = random.pick(isBounded ? BOUNDED : UNBOUNDED);
  return {
    source: `${inner.source}${quantifier}`,
    sample: inner.sample.repeat(random.between(least, most)),
  };
}

function group(random: Random, room: Room): GeneratedRegex {
  const branches = random.list(() => sequence(random, room), { least: 1, most: 3 });
  const open = random.pick(["(", "(?:", "(?P<n>", "(?<n>"]);
  // A name stands only once in an expression.
  const start = open.endsWith(">") ? `(?P<n${random.below(1_000_000)}>` : open;
  return {
    source: `${start}${branches.map(({ source }) => source).join("|")})`,
    sample: random.pick(branches).sample,
  };
}
