import { type Part, plainParts } from "./pattern.ts";

const DASHES = ["-", "/", "\u2013", "\u2014", "\u2015"];
const WORD = /[\p{L}\p{N}_]/u;
const ENCODER = new TextEncoder();

/** A byte, or a wildcard that stands among bytes. */
type BytePart = number | "*" | "?";

/** A value while its modifiers change it: characters, or bytes that one of them made. */
export type Changed =
  | { readonly kind: "text"; readonly parts: readonly Part[] }
  | { readonly kind: "bytes"; readonly bytes: readonly BytePart[] };

/**
 * Applies a modifier that changes a value.
 *
 * @param value The value so far.
 * @param modifier Its name.
 * @returns What is looked for instead, any of them; `undefined` when the modifier changes nothing.
 */
export function change(value: Changed, modifier: string): readonly Changed[] | undefined {
  switch (modifier) {
    case "windash":
      return dashed(textOf(value)).map((parts) => ({ kind: "text", parts }));
    case "wide":
    case "utf16le":
      return [{ kind: "bytes", bytes: utf16(textOf(value), { littleEndian: true }) }];
    case "utf16be":
      return [{ kind: "bytes", bytes: utf16(textOf(value), { littleEndian: false }) }];
    case "utf16": {
      const bytes = utf16(textOf(value), { littleEndian: true });
      return [{ kind: "bytes", bytes: [0xFF, 0xFE, ...bytes] }];
    }
    case "base64":
      return [{ kind: "text", parts: plainParts(base64(bytesOf(value))) }];
    case "base64offset":
      return [0, 1, 2].map((offset) => {
        return { kind: "text", parts: plainParts(base64Inside(bytesOf(value), offset)) };
      });
  }
  return undefined;
}

/**
 * Ends the changes.
 *
 * @param value The value after the last of them.
 * @returns Its characters; bytes are those of a text, NUL among them a space.
 */
export function partsOf(value: Changed): readonly Part[] {
  if (value.kind === "text") return value.parts;
  return value.bytes.map((byte) => {
    if (typeof byte === "string") return byte;
    if (byte > 0x7F) throw new RangeError("Bytes beyond ASCII are no text");
    return { plain: byte === 0 ? " " : String.fromCharCode(byte) };
  });
}

function textOf(value: Changed): readonly Part[] {
  if (value.kind === "bytes") throw new RangeError("A value is encoded twice");
  return value.parts;
}

function bytesOf(value: Changed): readonly number[] {
  const bytes = value.kind === "bytes" ? value.bytes : value.parts.flatMap(
    (part): readonly BytePart[] =>
      typeof part === "string" ? [part] : [...ENCODER.encode(part.plain)],
  );
  return bytes.map((byte) => {
    if (typeof byte === "string") throw new RangeError("Base64 of a wildcard");
    return byte;
  });
}

/** Each dash that starts an option, in all its forms. */
function dashed(parts: readonly Part[]): readonly (readonly Part[])[] {
  const isWord = (part: Part | undefined): boolean =>
    typeof part === "object" && WORD.test(part.plain);
  return parts.reduce<readonly (readonly Part[])[]>((variants, part, i) => {
    const isOption = typeof part === "object" && DASHES.includes(part.plain) &&
      !isWord(parts[i - 1]) && isWord(parts[i + 1]);
    const forms: readonly Part[] = isOption ? DASHES.map((plain) => ({ plain })) : [part];
    return variants.flatMap((variant) => forms.map((form) => [...variant, form]));
  }, [[]]);
}

function utf16(
  parts: readonly Part[],
  { littleEndian }: { readonly littleEndian: boolean },
): readonly BytePart[] {
  return parts.flatMap((part): readonly BytePart[] => {
    if (typeof part === "string") return [part];
    return part.plain.split("").flatMap((unit) => {
      const bytes = new DataView(new ArrayBuffer(2));
      bytes.setUint16(0, unit.charCodeAt(0), littleEndian);
      return [bytes.getUint8(0), bytes.getUint8(1)];
    });
  });
}

function base64(bytes: readonly number[]): string {
  return btoa(String.fromCharCode(...bytes));
}

/** The characters of a Base64 text that bytes alone decide, `offset` bytes behind its start. */
function base64Inside(bytes: readonly number[], offset: number): string {
  const around = (byte: number): string => {
    const before = Array<number>(offset).fill(byte);
    return base64([...before, ...bytes, byte, byte, byte]).replaceAll("=", "");
  };
  const [low, high] = [around(0x00), around(0xFF)];
  return Array.from(low).filter((character, i) => character === high[i]).join("");
}
