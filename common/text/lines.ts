/**
 * Lines of a stream, one at a time. What is over the bound is measured and not kept.
 *
 * @param chunks Bytes; UTF-8, with U+FFFD for what is none.
 * @param options `bytesMax`: longest line, in bytes.
 * @returns Lines without their ends; `undefined` for one that is over its bound.
 * @throws what reading the chunks throws.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  { bytesMax }: { readonly bytesMax: number },
): AsyncGenerator<string | undefined> {
  const decoder = new TextDecoder();
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      parts.push(chunk.subarray(start, end));
      bytes += end - start;
      yield bytes > bytesMax ? undefined : decoder.decode(joined(parts));
      [parts, bytes, start] = [[], 0, end + 1];
    }
    bytes += chunk.length - start;
    if (bytes > bytesMax) parts = [];
    else parts.push(chunk.slice(start));
  }
  if (bytes > 0) yield bytes > bytesMax ? undefined : decoder.decode(joined(parts));
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
