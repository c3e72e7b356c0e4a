const DECODER = new TextDecoder();

/**
 * Bytes as text: UTF-8, with U+FFFD for what is none.
 *
 * @param bytes Bytes of a slot.
 */
export function text(bytes: Uint8Array): string {
  return DECODER.decode(bytes);
}

/**
 * argv as one line: arguments joined by spaces.
 *
 * @param argv Arguments, each with its NUL.
 */
export function commandLine(argv: Uint8Array): string {
  return text(argv).replace(/\0$/, "").replaceAll("\0", " ");
}

/**
 * argv as a list.
 *
 * @param argv Arguments, each with its NUL.
 */
export function argumentList(argv: Uint8Array): string[] {
  return argv.length === 0 ? [] : text(argv).replace(/\0$/, "").split("\0");
}

/**
 * An address as text: dotted decimal, or RFC 5952 for IPv6.
 *
 * @param bytes 16 bytes in network order, IPv4 in the first 4.
 * @param family 2 = IPv4, 10 = IPv6.
 */
export function addressText(bytes: Uint8Array, family: number): string {
  if (family !== 10) return bytes.subarray(0, 4).join(".");
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(i * 2));
  const [start, length] = longestZeroRun(groups);
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(":");
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

function longestZeroRun(groups: readonly number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  let start = 0;
  groups.forEach((group, i) => {
    if (group !== 0) start = i + 1;
    else if (i + 1 - start > best[1]) best = [start, i + 1 - start];
  });
  return best;
}
