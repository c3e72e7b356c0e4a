// The YAML that most rule files are written in, read in one pass: block maps and lists, literal
// blocks, flow collections on one line, scalars on one line. Whatever is beyond that, or wrong, is
// left to the whole parser, so that this one never has to name a mistake.

import { DOCUMENT_DEPTH_MAX } from "./limits.ts";
import { Beyond, plainFlow, type PlainScalar, resolvePlain } from "./plain_scalar.ts";
import type { Position } from "./problem.ts";

/** A map of a document; values are maps, lists, scalars. */
export type PlainMap = Record<string, unknown>;

/** Where keys and entries stand, by the map or list that holds them. */
export type PlainPlaces = Map<object, Map<string | number, Position>>;

/** A document of the plain kind. */
export interface PlainDocument {
  readonly value: PlainMap;
  readonly start: Position;
}

const KEY = /(?:'((?:[^']|'')*)'|([A-Za-z_][\w.|/-]*(?: [\w.|/-]+)*)) *:(?= |$)/y;
const MARKER = /^---(?: +(?:#.*)?)?$/;
const LITERAL = /^\|(-?)(?: +(?:#.*)?)?$/;
/** A byte order mark, a tab, a carriage return: what makes lines and columns other than they seem. */
// deno-lint-ignore no-control-regex
const UNUSUAL = /[\x00-\x09\x0B-\x1F\x7F\uFEFF]/;
const KEY_LENGTH_MAX = 256;

/**
 * Reads a rule file of the plain kind.
 *
 * @param text Content of the file.
 * @param places Filled with the place of each key and entry; costs time.
 * @returns Its documents that are not empty; `undefined` when it is beyond the plain kind.
 */
export function readPlainYaml(
  text: string,
  places?: PlainPlaces,
): readonly PlainDocument[] | undefined {
  if (UNUSUAL.test(text)) return undefined;
  try {
    return new PlainReader(text, places).documents();
  } catch (error) {
    if (error instanceof Beyond) return undefined;
    throw error;
  }
}

class PlainReader {
  readonly #lines: string[];
  readonly #places: PlainPlaces | undefined;
  /** Number of the current line, from 0. */
  #at = 0;
  /** Where the last value started that stood below its key or dash. */
  #below = { line: 0, column: 0 };

  constructor(text: string, places: PlainPlaces | undefined) {
    this.#lines = text.split("\n");
    this.#places = places;
  }

  documents(): PlainDocument[] {
    const documents: PlainDocument[] = [];
    while (this.#at < this.#lines.length) {
      const indent = this.#skip();
      if (indent === 0) {
        const start = { line: this.#at + 1, column: 1 };
        documents.push({ value: this.#map(0, 0), start });
        this.#skip();
      } else if (indent > 0) throw new Beyond();
      if (this.#at < this.#lines.length && !MARKER.test(this.#lines[this.#at] ?? "")) {
        throw new Beyond();
      }
      this.#at++;
    }
    return documents;
  }

  /** Goes to the next line with content; its indent, or -1 where the document ends. */
  #skip(): number {
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#lines[this.#at] ?? "";
      const indent = indentOf(line);
      if (indent === line.length || line[indent] === "#") continue;
      const isMarker = indent === 0 && (line.startsWith("---") || line.startsWith("..."));
      return isMarker ? -1 : indent;
    }
    return -1;
  }

  #map(indent: number, depth: number): PlainMap {
    if (depth >= DOCUMENT_DEPTH_MAX) throw new Beyond();
    const map: PlainMap = {};
    for (let at = this.#skip(); at >= indent; at = this.#skip()) {
      const line = this.#lines[this.#at] ?? "";
      const key = at === indent ? keyAt(line, indent) : undefined;
      if (key === undefined || Object.hasOwn(map, key.name)) throw new Beyond();
      this.#place(map, key.name, { line: this.#at + 1, column: indent });
      map[key.name] = this.#value(line.slice(key.end), { indent, depth, isEntry: false });
    }
    return map;
  }

  #list(indent: number, depth: number): unknown[] {
    if (depth >= DOCUMENT_DEPTH_MAX) throw new Beyond();
    const list: unknown[] = [];
    for (let at = this.#skip(); at >= indent; at = this.#skip()) {
      const line = this.#lines[this.#at] ?? "";
      if (at !== indent) throw new Beyond();
      if (!isEntry(line, indent)) break;
      const start = indent + 1 + indentOf(line.slice(indent + 1));
      this.#place(list, list.length, { line: this.#at + 1, column: start });
      if (keyAt(line, start) === undefined) {
        const head = this.#at;
        const entry = this.#value(line.slice(start), { indent, depth, isEntry: true });
        const below = this.#below;
        if (typeof entry === "object" && entry !== null && below.line > head + 1) {
          // It stands below its dash.
          this.#place(list, list.length, below);
        }
        list.push(entry);
      } else {
        // The map stands where its first key does.
        this.#lines[this.#at] = " ".repeat(start) + line.slice(start);
        list.push(this.#map(start, depth + 1));
      }
    }
    return list;
  }

  #value(
    text: string,
    { indent, depth, isEntry: inList }: {
      readonly indent: number;
      readonly depth: number;
      readonly isEntry: boolean;
    },
  ): unknown {
    const rest = text.slice(indentOf(text));
    const line = this.#lines[this.#at] ?? "";
    this.#at++;
    if (rest === "" || rest[0] === "#") return this.#nested(indent, depth, { inList });
    if (rest[0] === "|") return this.#literal(rest, indent);
    const found = rest[0] === "[" || rest[0] === "{"
      ? plainFlow(rest, DOCUMENT_DEPTH_MAX - depth, {
        place: (holder, step, at) =>
          this.#place(holder, step, { line: this.#at, column: line.length - rest.length + at }),
      })
      : resolvePlain(rest);
    if (found === undefined) throw new Beyond();
    return found.value;
  }

  /** What stands below a key or dash. A list may stand as far left as the key that has it. */
  #nested(
    indent: number,
    depth: number,
    options: { readonly inList: boolean },
  ): unknown {
    const below = this.#skip();
    const line = this.#lines[this.#at] ?? "";
    const isList = isEntry(line, below);
    if (below < indent || (below === indent && (options.inList || !isList))) return null;
    const place = { line: this.#at + 1, column: below };
    const value = isList ? this.#list(below, depth + 1) : this.#map(below, depth + 1);
    this.#below = place;
    return value;
  }

  #literal(head: string, parent: number): string {
    const header = LITERAL.exec(head);
    if (header === null) throw new Beyond();
    const first = this.#lines[this.#at] ?? "";
    const indent = indentOf(first);
    // A blank first line may set the indent, which is not followed here.
    if (indent <= parent || indent === first.length) throw new Beyond();
    const content: string[] = [];
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#lines[this.#at] ?? "";
      const spaces = indentOf(line);
      if (spaces === line.length) {
        if (spaces > indent) throw new Beyond();
        content.push("");
        continue;
      }
      if (spaces < indent) {
        if (spaces > parent) throw new Beyond();
        break;
      }
      content.push(line.slice(indent));
    }
    // A last line without an end keeps none, and is rare.
    if (this.#at === this.#lines.length && content.at(-1) !== "") throw new Beyond();
    while (content.at(-1) === "") content.pop();
    return content.join("\n") + (header[1] === "-" ? "" : "\n");
  }

  /** Line from 1, column from 0. */
  #place(
    holder: object,
    step: string | number,
    at: { readonly line: number; readonly column: number },
  ): void {
    if (this.#places === undefined) return;
    const steps = this.#places.get(holder) ?? new Map<string | number, Position>();
    this.#places.set(holder, steps.set(step, { line: at.line, column: at.column + 1 }));
  }
}

/** Spaces at the start of a line. */
function indentOf(line: string): number {
  let indent = 0;
  while (line.charCodeAt(indent) === 0x20) indent++;
  return indent;
}

function isEntry(line: string, indent: number): boolean {
  return line[indent] === "-" && (line.length === indent + 1 || line[indent + 1] === " ");
}

function keyAt(
  line: string,
  from: number,
): { readonly name: string; readonly end: number } | undefined {
  KEY.lastIndex = from;
  const [whole = "", quoted, plain] = KEY.exec(line) ?? [];
  if (whole === "" || whole.length > KEY_LENGTH_MAX) return undefined;
  if (quoted !== undefined) {
    return { name: quoted.replaceAll("''", "'"), end: from + whole.length };
  }
  const name = plain ?? "";
  // Words that are values, and a name that objects keep for themselves.
  const scalar: PlainScalar | undefined = resolvePlain(name);
  if (typeof scalar?.value !== "string" || name === "__proto__") return undefined;
  return { name, end: from + whole.length };
}
