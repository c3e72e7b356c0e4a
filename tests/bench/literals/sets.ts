import { stringify } from "yaml";
import type { RuleSource } from "../../../common/sigma/mod.ts";
import { formatValue, parseValue } from "../../../common/sigma/value.ts";
import type { Random } from "../../support/random.ts";
import { isMap, readCorpus } from "../workload/corpus.ts";

/** How long literals are: 9 to 26 bytes, or as those of the corpus. */
export type LiteralLengths = "long" | "corpus";

const LONG = { least: 9, most: 26 } as const;
/** One literal in so many is a short one. */
const LITERALS_PER_SHORT = 8;
const SHORT_LENGTH_MAX = 4;
const LITERALS_PER_RULE = 500;
const LINE_BYTES_MIN = 90;
/** One line in so many has a literal, and one in so many has one without its last character. */
const LINES_PER_LITERAL = 100;
const LINES_PER_PARTIAL = 5;
const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-./_";
/** Letters and digits of these. */
const WORD_LETTERS = 36;
const WORDS = ("status --port serve --model run /opt/models/llama config.json -m main --verbose " +
  "build test /etc/hosts worker --device cuda:0 -o output.log http://localhost:8000/v1 python3 " +
  "/srv/data train.py --epochs 10 git fetch origin node index.js --max-old-space-size=4096 sh -c")
  .split(" ");

/**
 * Makes distinct literals, letters in lower case.
 *
 * @param lengths Which lengths.
 * @param options How many; choices.
 * @returns Literals.
 */
export async function literalSet(
  lengths: LiteralLengths,
  { count, random }: { readonly count: number; readonly random: Random },
): Promise<readonly string[]> {
  const literals = new Set<string>();
  if (lengths === "long") {
    while (literals.size < count) literals.add(word(random, random.between(LONG.least, LONG.most)));
    return [...literals];
  }
  const { shapes } = await readCorpus();
  const texts = shapes.flatMap(({ detection }) => containedIn(detection));
  const short = texts.filter(({ length }) => length <= SHORT_LENGTH_MAX);
  const long = texts.filter(({ length }) => length > SHORT_LENGTH_MAX);
  for (let i = 0; literals.size < count; i++) {
    const text = random.pick(i % LITERALS_PER_SHORT === 0 ? short : long);
    const made = otherWords(text, random);
    // Of the shortest there are few with these signs.
    literals.add(literals.has(made) ? word(random, text.length) : made);
  }
  return [...literals];
}

/** A text of the same length and the same signs, with other words in it. */
function otherWords(text: string, random: Random): string {
  return text.replaceAll(/[a-z0-9]/g, () => LETTERS.charAt(random.below(WORD_LETTERS)));
}

function containedIn(detection: unknown): readonly string[] {
  if (Array.isArray(detection)) return detection.flatMap(containedIn);
  if (!isMap(detection)) return [];
  return Object.entries(detection).flatMap(([key, value]): readonly string[] => {
    if (key.includes("|contains")) {
      const values: readonly unknown[] = Array.isArray(value) ? value : [value];
      return values.flatMap((one) => {
        const [text, ...more] = parseValue(String(one));
        return typeof text === "string" && more.length === 0 ? [text.toLowerCase()] : [];
      });
    }
    return containedIn(value);
  });
}

/**
 * Rules that look for literals in `CommandLine`.
 *
 * @param literals Literals.
 * @returns Rule files.
 */
export function literalRules(literals: readonly string[]): readonly RuleSource[] {
  const rules: RuleSource[] = [];
  for (let at = 0; at < literals.length; at += LITERALS_PER_RULE) {
    const values = literals.slice(at, at + LITERALS_PER_RULE).map((text) => formatValue([text]));
    const text = stringify({
      title: `Literals ${at}`,
      id: `literals-${at}`,
      logsource: { category: "process_creation", product: "linux" },
      detection: { s: { "CommandLine|contains": values }, condition: "s" },
    });
    rules.push({ path: `${at}.yml`, text });
  }
  return rules;
}

/**
 * Lines like command lines.
 *
 * @param literals What some of them have, or nearly.
 * @param options How many; choices.
 * @returns Lines in lower case.
 */
export function linesOf(
  literals: readonly string[],
  { count, random }: { readonly count: number; readonly random: Random },
): readonly string[] {
  return Array.from({ length: count }, (_, i) => {
    let line = `${i.toString(36)} `;
    while (line.length < LINE_BYTES_MIN) {
      line += `${random.chance(60) ? random.pick(WORDS) : word(random, random.between(3, 9))} `;
    }
    if (i % LINES_PER_PARTIAL === 0) line += random.pick(literals).slice(0, -1);
    return i % LINES_PER_LITERAL === 0 ? `${line} ${random.pick(literals)}` : line;
  });
}

function word(random: Random, length: number): string {
  return Array.from({ length }, () => LETTERS.charAt(random.below(LETTERS.length))).join("");
}
