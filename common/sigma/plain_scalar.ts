// Scalars and flow collections of YAML 1.2 (core schema) that stand on one line and need no thought.

/** A value that was read. */
export interface PlainScalar {
  readonly value: unknown;
}

const SINGLE = /^'((?:[^']|'')*)'(?: +(?:#.*)?)?$/;
const DOUBLE = /^("(?:[^"\\]|\\["\\/bfnrt])*")(?: +(?:#.*)?)?$/;
/** What a plain text may start with; an indicator only where it is none. */
const START = /^(?:[^\s\-?:,[\]{}#&*!|>'"%@`]|[-?:][^\s,[\]{}])/;
const NULL = /^(?:~|null|Null|NULL)$/;
const BOOLEAN = /^(?:true|True|TRUE|false|False|FALSE)$/;
const INTEGER = /^[-+]?[0-9]+$/;
/** Numbers of another form. */
const NUMBER =
  /^(?:[-+]?(?:\.[0-9]+|[0-9]+\.?[0-9]*)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9A-Fa-f]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

/**
 * Reads a scalar that takes the rest of a line in a block.
 *
 * @param text From its first character to the end of the line, comment included.
 * @returns Its value; `undefined` when it is none of the simple kind.
 */
export function resolvePlain(text: string): PlainScalar | undefined {
  if (text[0] === "'") {
    const inner = SINGLE.exec(text)?.[1];
    return inner === undefined ? undefined : { value: inner.replaceAll("''", "'") };
  }
  if (text[0] === '"') {
    const literal = DOUBLE.exec(text)?.[1];
    return literal === undefined ? undefined : { value: JSON.parse(literal) as unknown };
  }
  const comment = text.indexOf(" #");
  const bare = trimmed(comment < 0 ? text : text.slice(0, comment));
  if (bare.includes(": ") || bare.endsWith(":")) return undefined;
  return resolveBare(bare);
}

function trimmed(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0x20) end--;
  return text.slice(0, end);
}

function resolveBare(bare: string): PlainScalar | undefined {
  if (NULL.test(bare)) return { value: null };
  if (!START.test(bare)) return undefined;
  if (BOOLEAN.test(bare)) return { value: bare[0] === "t" || bare[0] === "T" };
  if (INTEGER.test(bare)) return { value: BigInt(bare.replace("+", "")) };
  return NUMBER.test(bare) ? undefined : { value: bare };
}

const FLOW_SINGLE = /'((?:[^']|'')*)'/y;
const FLOW_DOUBLE = /"(?:[^"\\]|\\["\\/bfnrt])*"/y;
const FLOW_BARE = /[^\s,[\]{}:#'"][^,[\]{}:#'"]*(?::(?=[^\s,[\]{}:#'"])[^,[\]{}:#'"]*)*/y;
const FLOW_KEY = /(?:'((?:[^']|'')*)'|([A-Za-z_][\w.|/-]*(?: [\w.|/-]+)*)) *: +/y;
const FLOW_END = /^ *(?:$| #)/;

/** What a reader of the plain kind does not take. */
export class Beyond extends Error {
  override readonly name = "Beyond";
}

/** Is told where keys and entries of a flow collection stand. */
export interface FlowOptions {
  /** `at`: offset in the text. */
  readonly place: (holder: object, step: string | number, at: number) => void;
}

/**
 * Reads a flow collection that takes the rest of a line.
 *
 * @param text From its bracket to the end of the line, comment included.
 * @param depth Most levels that it may have.
 * @param options Who is told of places.
 * @returns Its value; `undefined` when it is none of the simple kind.
 */
export function plainFlow(
  text: string,
  depth: number,
  options: FlowOptions,
): PlainScalar | undefined {
  try {
    const flow = new FlowReader(text, options);
    const value = flow.value(depth);
    return FLOW_END.test(text.slice(flow.at)) ? { value } : undefined;
  } catch (error) {
    if (error instanceof Beyond) return undefined;
    throw error;
  }
}

class FlowReader {
  readonly #text: string;
  readonly #place: FlowOptions["place"];
  at = 0;

  constructor(text: string, { place }: FlowOptions) {
    this.#text = text;
    this.#place = place;
  }

  value(depth: number): unknown {
    if (depth <= 0) throw new Beyond();
    const first = this.#text[this.at];
    if (first === "[") return this.#list(depth);
    if (first === "{") return this.#map(depth);
    if (first === "'") return (this.#match(FLOW_SINGLE)[1] ?? "").replaceAll("''", "'");
    if (first === '"') return JSON.parse(this.#match(FLOW_DOUBLE)[0]) as unknown;
    const scalar = resolveBare(trimmed(this.#match(FLOW_BARE)[0]));
    if (scalar === undefined) throw new Beyond();
    return scalar.value;
  }

  #list(depth: number): unknown[] {
    const list: unknown[] = [];
    this.#items("]", () => {
      this.#place(list, list.length, this.at);
      list.push(this.value(depth - 1));
    });
    return list;
  }

  #map(depth: number): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    this.#items("}", () => {
      const { at } = this;
      const [, quoted, plain = ""] = this.#match(FLOW_KEY);
      const name = quoted?.replaceAll("''", "'") ?? plain;
      const isWord = quoted === undefined && typeof resolveBare(name)?.value !== "string";
      if (isWord || name === "__proto__" || Object.hasOwn(map, name)) throw new Beyond();
      this.#place(map, name, at);
      map[name] = this.value(depth - 1);
    });
    return map;
  }

  #items(end: string, item: () => void): void {
    this.at++;
    this.#spaces();
    while (this.#text[this.at] !== end) {
      item();
      this.#spaces();
      if (this.#text[this.at] === ",") this.at++;
      else if (this.#text[this.at] !== end) throw new Beyond();
      this.#spaces();
    }
    this.at++;
  }

  #spaces(): void {
    while (this.#text[this.at] === " ") this.at++;
  }

  #match(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.#text);
    if (match === null) throw new Beyond();
    this.at += match[0].length;
    return match;
  }
}
