/** A value's first bits, and the entries that it belongs to by them. */
export interface Prefix {
  readonly bytes: Uint8Array;
  /** Bits that count. */
  readonly bits: number;
  readonly entries: bigint;
}

/**
 * Makes a trie's rows: what is looked up there is found at its longest prefix alone, so each row
 * carries the entries of all shorter ones that it lies in.
 *
 * @param prefixes In any order; the same one may stand several times.
 * @returns A row a prefix.
 */
export function withShorter(prefixes: readonly Prefix[]): readonly Prefix[] {
  const rows = new Map<string, Prefix>();
  for (const prefix of prefixes) {
    const key = keyOf(prefix);
    const entries = prefix.entries | (rows.get(key)?.entries ?? 0n);
    rows.set(key, { ...prefix, entries });
  }
  const lengths = [...new Set(prefixes.map(({ bits }) => bits))];
  // By the lengths there are, not by the other rows: a policy may have thousands of those.
  return [...rows.values()].map((row) => ({
    ...row,
    entries: lengths.filter((bits) => bits <= row.bits).reduce(
      (entries, bits) => entries | (rows.get(keyOf({ ...row, bits }))?.entries ?? 0n),
      0n,
    ),
  }));
}

/** The same for two prefixes of the same bits, whatever stands behind these. */
function keyOf({ bytes, bits }: Pick<Prefix, "bytes" | "bits">): string {
  const whole = bits >> 3;
  const rest = (bytes[whole] ?? 0) >> (8 - (bits & 7));
  return `${bits} ${bytes.subarray(0, whole).toHex()} ${rest}`;
}

/**
 * Cuts a range of ports into prefixes.
 *
 * @param from First port.
 * @param to Last port.
 * @returns Prefixes of 2 bytes, 30 at most.
 */
export function portPrefixes(from: number, to: number): readonly Omit<Prefix, "entries">[] {
  const found: Omit<Prefix, "entries">[] = [];
  for (let at = from; at <= to;) {
    let size = 1;
    while (at % (2 * size) === 0 && at + 2 * size - 1 <= to) size *= 2;
    found.push({ bytes: Uint8Array.of(at >> 8, at & 0xFF), bits: 16 - Math.log2(size) });
    at += size;
  }
  return found;
}
