import { ImmuneError } from "../config/errors.ts";

/** Longest pack of rules, in bytes. */
export const PACK_BYTES_MAX = 4 * 1024 * 1024;
/** Most files of a pack. */
export const PACK_FILES_MAX = 4096;
/** Longest name of a file, in characters. */
const NAME_CHARACTERS_MAX = 128;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*\.ya?ml$/;

/** A file of a pack. */
export interface PackFile {
  /** Its name, without any folder. */
  readonly name: string;
  readonly text: string;
}

/**
 * Puts rule files together as one thing with one hash.
 *
 * @param files The files; their names are distinct.
 * @returns The pack.
 * @throws {ImmuneError} `INPUT_MALFORMED` when it would not be read back.
 */
export function writePack(files: readonly PackFile[]): Uint8Array<ArrayBuffer> {
  const sorted = files.toSorted((a, b) => a.name < b.name ? -1 : 1)
    .map(({ name, text }) => ({ name, text }));
  const bytes = new TextEncoder().encode(JSON.stringify({ version: 1, files: sorted }));
  readPack(bytes);
  return bytes;
}

/**
 * Reads a pack.
 *
 * @param bytes The whole of it.
 * @returns Its files; no name leads out of a folder.
 * @throws {ImmuneError} `INPUT_MALFORMED` when it is none.
 */
export function readPack(bytes: Uint8Array): readonly PackFile[] {
  if (bytes.length > PACK_BYTES_MAX) throw malformed(`it has over ${PACK_BYTES_MAX} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw malformed("it is no JSON");
  }
  const { version, files } = (value ?? {}) as { version?: unknown; files?: unknown };
  if (version !== 1 || !Array.isArray(files)) throw malformed("it is of another form");
  if (files.length > PACK_FILES_MAX) throw malformed(`it has over ${PACK_FILES_MAX} files`);
  const names = new Set<string>();
  return files.map((file: unknown) => {
    const { name, text } = (file ?? {}) as { name?: unknown; text?: unknown };
    if (typeof name !== "string" || typeof text !== "string") throw malformed("a file is none");
    if (!NAME.test(name) || name.length > NAME_CHARACTERS_MAX) {
      throw malformed("a file's name is not that of a rule file");
    }
    if (names.has(name)) throw malformed("a name comes twice");
    names.add(name);
    return { name, text };
  });
}

function malformed(why: string): ImmuneError {
  return new ImmuneError("INPUT_MALFORMED", `Cannot use pack of rules: ${why}`);
}
