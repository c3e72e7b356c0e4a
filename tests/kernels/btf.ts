import { Unreachable } from "./apt.ts";

/** Start of types in BTF: magic, version 1, no flags, a header of 24 bytes. */
const START = Uint8Array.of(0x9f, 0xeb, 1, 0, 24, 0, 0, 0);
const HEADER_BYTES = 24;
/** A kernel's own types are larger than this; what is smaller belongs to something else. */
const KERNEL_TYPES_BYTES_MIN = 100_000;

/**
 * Cuts a kernel's types out of its uncompressed image (Documentation/bpf/btf.rst): what
 * /sys/kernel/btf/vmlinux has when it runs.
 *
 * @param image Its image.
 * @returns The types, or `undefined` when they are not there in the clear.
 */
export function findTypes(image: Uint8Array): Uint8Array | undefined {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  for (let at = image.indexOf(START[0] ?? 0); at >= 0; at = image.indexOf(START[0] ?? 0, at + 1)) {
    if (at + HEADER_BYTES > image.length) return undefined;
    if (!START.every((byte, i) => image[at + i] === byte)) continue;
    // Both parts by offset and length, each from the header's end: types, then texts.
    const textsAt = view.getUint32(at + 16, true);
    const end = at + HEADER_BYTES + textsAt + view.getUint32(at + 20, true);
    if (end <= image.length && textsAt >= KERNEL_TYPES_BYTES_MIN) return image.subarray(at, end);
  }
  return undefined;
}

/**
 * Writes the types of a kernel beside its image, once.
 *
 * @param kernel Path of its image.
 * @returns Path of the types.
 * @throws {Unreachable} when the image does not show them.
 */
export async function kernelTypes(kernel: string): Promise<string> {
  const path = `${kernel}.btf`;
  if (await Deno.stat(path).then(() => true, () => false)) return path;
  const types = findTypes(await Deno.readFile(kernel));
  if (types === undefined) throw new Unreachable(`the image of ${kernel} does not show its types`);
  await Deno.writeFile(path, types);
  return path;
}
