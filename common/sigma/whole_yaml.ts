import { Alias, type Document, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from "yaml";
import type { RuleDocument, Step } from "./document.ts";
import { ALIASES_MAX, DOCUMENT_DEPTH_MAX, DOCUMENTS_PER_SOURCE_MAX } from "./limits.ts";
import { invalid, type Position, RuleProblem } from "./problem.ts";

/**
 * Reads any YAML, at a price: nesting and repeated keys cost more than their length.
 *
 * @param text At most `WHOLE_YAML_BYTES_MAX` bytes.
 * @returns Its documents that are not empty, or what is wrong with them.
 */
export function parseWholeYaml(text: string): readonly (RuleDocument | RuleProblem)[] {
  const lines = new LineCounter();
  const options = { lineCounter: lines, intAsBigInt: true, logLevel: "error" } as const;
  const parsed = parseAllDocuments(text, options);
  if (!Array.isArray(parsed)) return [];
  if (parsed.length > DOCUMENTS_PER_SOURCE_MAX) return [tooMany({ line: 1, column: 1 })];
  return parsed.filter((document) => document.errors.length > 0 || !isEmpty(document))
    .map((document) => readDocument(document, lines));
}

/**
 * The problem of a file with too many documents.
 *
 * @param position Where the file starts.
 * @returns The problem.
 */
export function tooMany(position: Position): RuleProblem {
  return invalid(`File has more than ${DOCUMENTS_PER_SOURCE_MAX} documents; split it`, position);
}

function isEmpty({ contents }: Document): boolean {
  return contents === null || (isScalar(contents) && contents.value === null);
}

function readDocument(document: Document, lines: LineCounter): RuleDocument | RuleProblem {
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const start = place(startOf(document));
  const error = document.errors[0];
  if (error !== undefined) {
    const [reason = ""] = error.message.split("\n");
    if (reason.includes("call stack")) return tooDeep(start);
    const bare = reason.replace(/ at line \d+, column \d+:?$/, "");
    return invalid(`YAML does not parse: ${bare}`, place(error.pos[0]));
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX });
    if (depthOf(value, 0) > DOCUMENT_DEPTH_MAX) return tooDeep(start);
    return { value, start, position: (path) => place(offsetOf(document, path)) };
  } catch (cause) {
    // Too many aliases (ReferenceError), or nesting that exhausts the stack (RangeError).
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new RuleProblem("RULE_INVALID", `YAML cannot be expanded: ${reason}`, {
      position: start,
      cause,
    });
  }
}

function tooDeep(position: Position): RuleProblem {
  return invalid(`Document is nested deeper than ${DOCUMENT_DEPTH_MAX} levels`, position);
}

function depthOf(value: unknown, depth: number): number {
  if (depth > DOCUMENT_DEPTH_MAX || typeof value !== "object" || value === null) return depth;
  let deepest = depth;
  for (const inner of Object.values(value)) {
    deepest = Math.max(deepest, depthOf(inner, depth + 1));
    if (deepest > DOCUMENT_DEPTH_MAX) break;
  }
  return deepest;
}

function startOf(document: Document): number {
  return document.contents?.range?.[0] ?? document.range?.[0] ?? 0;
}

function offsetOf(document: Document, path: readonly Step[]): number {
  let node: unknown = document.contents;
  let offset = startOf(document);
  for (const step of path) {
    if (node instanceof Alias) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) =>
        (isScalar(key) ? String(key.value) : String(key)) === String(step)
      );
      if (pair === undefined) return offset;
      offset = (isScalar(pair.key) ? pair.key.range?.[0] : undefined) ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof step === "number") {
      node = node.items[step];
      offset = (node as { range?: readonly number[] } | undefined)?.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
}
