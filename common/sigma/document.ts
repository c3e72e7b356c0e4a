import { DOCUMENTS_PER_SOURCE_MAX, RULE_SOURCE_BYTES_MAX, WHOLE_YAML_BYTES_MAX } from "./limits.ts";
import { type PlainDocument, type PlainPlaces, readPlainYaml } from "./plain_yaml.ts";
import { invalid, type Position, type RuleProblem } from "./problem.ts";
import { parseWholeYaml, tooMany } from "./whole_yaml.ts";

/** A step into a document: the key of a map or the index of a list. */
export type Step = string | number;

/** One YAML document of a rule file. */
export interface RuleDocument {
  /** Its content as plain values; whole numbers are `bigint`. */
  readonly value: unknown;
  /** Where it starts. */
  readonly start: Position;
  /**
   * Where a key or list entry stands.
   *
   * @param path Steps from the top.
   * @returns Its place, or that of the deepest step that exists.
   */
  readonly position: (path: readonly Step[]) => Position;
}

/**
 * Splits a rule file into its YAML documents (YAML 1.2, core schema).
 *
 * @param text Content of the file.
 * @returns Each document, or the problem that keeps it from being read; empty documents are left
 * out.
 */
export function parseDocuments(text: string): readonly (RuleDocument | RuleProblem)[] {
  const size = text.length > RULE_SOURCE_BYTES_MAX ? text.length : ENCODER.encode(text).length;
  if (size > RULE_SOURCE_BYTES_MAX) {
    return [invalid(`File is longer than ${RULE_SOURCE_BYTES_MAX} bytes; split it`, TOP)];
  }
  const plain = readPlainYaml(text);
  if (plain !== undefined) {
    if (plain.length > DOCUMENTS_PER_SOURCE_MAX) return [tooMany(TOP)];
    return plain.map((document, i) => plainDocument(document, { text, i }));
  }
  if (size > WHOLE_YAML_BYTES_MAX) {
    const most = `${WHOLE_YAML_BYTES_MAX} bytes`;
    const reason = `File of over ${most} has YAML beyond block maps, lists and one-line values`;
    return [invalid(`${reason}; split it`, TOP)];
  }
  return parseWholeYaml(text);
}

const TOP: Position = { line: 1, column: 1 };
const ENCODER = new TextEncoder();

/** Places are asked for when a document has a problem; then it is read once more for them. */
function plainDocument(
  { value, start }: PlainDocument,
  { text, i }: { readonly text: string; readonly i: number },
): RuleDocument {
  return {
    value,
    start,
    position: (path) => {
      const places: PlainPlaces = new Map();
      let at: unknown = readPlainYaml(text, places)?.[i]?.value;
      let position = start;
      for (const step of path) {
        if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) break;
        position = places.get(at)?.get(step) ?? position;
        at = Reflect.get(at, step);
      }
      return position;
    },
  };
}
