/** What a process runs. A text that no record told is `undefined`. */
export interface Program {
  readonly image: Uint8Array<ArrayBuffer> | undefined;
  /** Arguments, each with its NUL. */
  readonly argv: Uint8Array<ArrayBuffer> | undefined;
  readonly cwd: Uint8Array<ArrayBuffer> | undefined;
}

/** Offsets of `Program` in wasm/assembly/program.ts. */
const PROGRAM = { imageLength: 8, argvLength: 12, cwdLength: 16 } as const;
const PROGRAM_HEADER_BYTES = 48;
const ABSENT = 0xFFFF_FFFF;

/**
 * Copies a program out of the module's memory.
 *
 * @param view The module's memory.
 * @param pointer Place of the program.
 * @returns The program, or `undefined` for 0.
 */
export function readProgram(view: DataView<ArrayBuffer>, pointer: number): Program | undefined {
  if (pointer === 0) return undefined;
  let at = pointer + PROGRAM_HEADER_BYTES;
  const next = (place: number): Uint8Array<ArrayBuffer> | undefined => {
    const length = view.getUint32(pointer + place, true);
    if (length === ABSENT) return undefined;
    const bytes = new Uint8Array(view.buffer, at, length).slice();
    at += length;
    return bytes;
  };
  return {
    image: next(PROGRAM.imageLength),
    argv: next(PROGRAM.argvLength),
    cwd: next(PROGRAM.cwdLength),
  };
}
