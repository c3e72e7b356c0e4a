/** Fields of a flat event by name, in its order; a field that is not there is absent. */
export type FlatEvent = ReadonlyMap<string, string>;

const ENCODER = new TextEncoder();
/** Bytes beyond ASCII become characters from here on, which no flag of a RegExp folds. */
const BEYOND_ASCII = 0xE000;

/**
 * A text as rules compare it: one character a byte of its UTF-8.
 *
 * @param text Any text.
 * @returns Bytes of ASCII as they are, but NUL as a space; others as private characters.
 */
export function bytesAsText(text: string): string {
  return Array.from(ENCODER.encode(text), (byte) => {
    if (byte === 0) return " ";
    return String.fromCharCode(byte < 0x80 ? byte : BEYOND_ASCII + byte);
  }).join("");
}

/**
 * Folds ASCII letters, and only those.
 *
 * @param text Any text.
 * @returns It with small letters.
 */
export function folded(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 32));
}

/** A value of an event in the forms that tests ask for. */
export interface Value {
  /** As it came. */
  readonly text: string;
  /** As {@linkcode bytesAsText}. */
  readonly bytes: string;
  /** The same, folded. */
  readonly folded: string;
}

/** An event, read once for many rules. */
export class ReferenceEvent {
  readonly #values = new Map<string, Value>();
  /** All values, one a line: what keywords are looked for in. */
  readonly all: Value;

  /** @param fields The event. */
  constructor(fields: FlatEvent) {
    for (const [name, text] of fields) this.#values.set(name, valueOf(text));
    this.all = valueOf([...fields.values()].join("\n"));
  }

  /**
   * @param field Name of a field, or nothing for all of the event.
   * @returns Its value, or `undefined` where it is absent.
   */
  value(field: string): Value | undefined {
    return field === "" ? this.all : this.#values.get(field);
  }
}

function valueOf(text: string): Value {
  const bytes = bytesAsText(text);
  return { text, bytes, folded: folded(bytes) };
}
