import { parseAllDocuments } from "yaml";
import { readRuleSources } from "../../../common/sigma/mod.ts";
import { SIGMA_CORPUS } from "../../support/sigma_corpus.ts";

/** Categories of rules that the workload's records can fulfil, or nearly. */
const CATEGORIES: ReadonlySet<string> = new Set([
  "process_creation",
  "file_event",
  "network_connection",
]);

/** Selections and conditions of a rule. */
export type Detection = Readonly<Record<string, unknown>>;

/** How a rule of the corpus is built. */
export interface RuleShape {
  readonly category: string;
  readonly detection: Detection;
  /** Texts that it looks for. */
  readonly values: number;
}

/** What is measured of the corpus. */
export interface Corpus {
  /** Rules for Linux on processes, files and the network. */
  readonly shapes: readonly RuleShape[];
  /** Texts of each rule, of all log sources. */
  readonly valuesPerRule: readonly number[];
}

/**
 * Reads the corpus, rules of others that say what rules are like.
 *
 * @returns Shapes of rules.
 * @throws {Deno.errors.NotFound} when it is not there.
 */
export async function readCorpus(): Promise<Corpus> {
  await Deno.stat(SIGMA_CORPUS);
  const all = shapesOf(await readRuleSources(SIGMA_CORPUS));
  const linux = shapesOf(await readRuleSources(`${SIGMA_CORPUS}/linux`));
  return {
    shapes: linux.filter(({ category }) => CATEGORIES.has(category)),
    valuesPerRule: all.map(({ values }) => values),
  };
}

function shapesOf(sources: readonly { readonly text: string }[]): readonly RuleShape[] {
  return sources.flatMap(({ text }) => {
    const documents = parseAllDocuments(text);
    return Array.isArray(documents) ? documents.flatMap((one) => shapeOf(one.toJS())) : [];
  });
}

function shapeOf(document: unknown): readonly RuleShape[] {
  if (!isMap(document) || !isMap(document["detection"])) return [];
  const { logsource, detection } = document;
  const { condition: _, ...selections } = detection;
  const category = isMap(logsource) ? String(logsource["category"]) : "";
  return [{ category, detection, values: countTexts(selections) }];
}

function countTexts(value: unknown): number {
  if (typeof value === "string") return 1;
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce<number>((sum, inner) => sum + countTexts(inner), 0);
}

/**
 * Tells whether a value is a map of a YAML document.
 *
 * @param value Any value.
 */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
