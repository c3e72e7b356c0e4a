import type { Random } from "../../support/random.ts";
import { readWildcards } from "../../differential/reference/pattern.ts";
import { ReferenceRule } from "../../differential/reference/rule.ts";
import { isMap } from "./corpus.ts";
import type { WorkRule } from "./rules.ts";

/** Texts that a record needs so that a rule fires on it, by field. */
export type HitTexts = ReadonlyMap<string, string>;

/** Fields that the workload's records of each category choose for themselves. */
const OWN_FIELDS: Readonly<Record<string, readonly string[]>> = {
  process_creation: ["Image", "CommandLine"],
  file_event: ["TargetFilename"],
};
/** Longest texts of a hit, in bytes: its record is to have 300 at most. */
const TEXT_BYTES_MAX = 120;

/**
 * Finds what a record would need so that a rule fires on it.
 *
 * @param rule The rule.
 * @param random Choices.
 * @returns Texts, proven by the reference; `undefined` where the rule asks for what a record of the
 * workload cannot choose, or for more.
 */
export function hitTexts(rule: WorkRule, random: Random): HitTexts | undefined {
  const own = OWN_FIELDS[rule.category];
  if (own === undefined) return undefined;
  const { condition: _, ...selections } = rule.detection;
  const wanted = Object.entries(selections).filter(([name]) => !name.startsWith("filter"))
    .map(([, selection]) => selection);
  const reference = new ReferenceRule(rule.text);
  for (const chosen of [...wanted.map((one) => [one]), wanted]) {
    const texts = textsOf(chosen, random);
    const length = [...texts.values()].reduce((sum, text) => sum + text.length, 0);
    if (length > TEXT_BYTES_MAX || ![...texts.keys()].every((field) => own.includes(field))) {
      continue;
    }
    if (texts.size > 0 && reference.fires(texts)) return texts;
  }
  return undefined;
}

interface Pieces {
  start: string;
  readonly middle: string[];
  end: string;
}

function textsOf(selections: readonly unknown[], random: Random): HitTexts {
  const fields = new Map<string, Pieces>();
  for (const selection of selections) {
    const map: unknown = Array.isArray(selection) ? random.pick(selection) : selection;
    for (const [key, value] of isMap(map) ? Object.entries(map) : []) {
      const [field = "", ...modifiers] = key.split("|");
      const values: readonly unknown[] = Array.isArray(value) ? value : [value];
      const chosen = modifiers.includes("all") ? values : [random.pick(values)];
      const pieces = fields.get(field) ?? { start: "", middle: [], end: "" };
      fields.set(field, pieces);
      for (const one of chosen) {
        const text = readWildcards(String(one))
          .map((part) => typeof part === "string" ? "x" : part.plain).join("");
        if (modifiers.includes("endswith")) pieces.end = text;
        else if (modifiers.includes("contains")) pieces.middle.push(text);
        else pieces.start = text;
      }
    }
  }
  return new Map(
    [...fields].map(([field, { start, middle, end }]) => [field, start + middle.join(" ") + end]),
  );
}
