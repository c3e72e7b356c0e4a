import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { BATCH_BYTES_MAX } from "../../common/wire/mod.ts";

/** How a block's bytes are kept. The numbers stand in the database. */
const CODECS = { raw: 0, zstd: 1 } as const;

/** Level of compression: 3 takes a quarter longer and saves nothing (measured on records). */
const LEVEL = 1;

/** Bytes as the database holds them. */
export interface Packed {
  readonly codec: number;
  readonly bytes: Uint8Array;
}

/**
 * Makes bytes short, where that helps.
 *
 * @param bytes A batch.
 */
export function pack(bytes: Uint8Array): Packed {
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL };
  const short = zstdCompressSync(bytes, { params });
  if (short.length >= bytes.length) return { codec: CODECS.raw, bytes };
  return {
    codec: CODECS.zstd,
    bytes: new Uint8Array(short.buffer, short.byteOffset, short.length),
  };
}

/**
 * The bytes again, in a buffer of their own.
 *
 * @param packed As the database holds them.
 * @param options `length`: how many bytes they were.
 * @throws {Error} when they are damaged.
 */
export function unpack(
  { codec, bytes }: Packed,
  { length: expected }: { readonly length: number },
): Uint8Array<ArrayBuffer> {
  if (codec === CODECS.raw && bytes.length === expected) return new Uint8Array(bytes);
  if (codec !== CODECS.zstd) throw new Error(`Block of codec "${codec}" cannot be read`);
  const long = zstdDecompressSync(bytes, { maxOutputLength: BATCH_BYTES_MAX });
  // A frame that was cut short gives what there is of it, and no error.
  if (long.length !== expected) throw new Error(`Block has ${long.length} bytes, not ${expected}`);
  const { buffer, byteOffset, length } = long;
  // A short one may share its buffer with others, and could not be handed to another thread.
  if (length !== buffer.byteLength) return new Uint8Array(long);
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, length);
}
