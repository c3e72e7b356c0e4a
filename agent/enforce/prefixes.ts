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
    const key = `${prefix.bits} ${prefix.bytes.toHex()}`;
    const entries = prefix.entries | (rows.get(key)?.entries ?? 0n);
    rows.set(key, { ...prefix, entries });
  }
  const all = [...rows.values()];
  return all.map((row) => ({
    ...row,
    entries: all.reduce(
      (entries, other) => lies(row, other) ? entries | other.entries : entries,
      0n,
    ),
  }));
}

/** Whether all values of `row` are values of `other`. */
function lies(row: Prefix, other: Prefix): boolean {
  if (other.bits > row.bits) return false;
  const whole = other.bits >> 3;
  for (let i = 0; i < whole; i++) if (row.bytes[i] !== other.bytes[i]) return false;
  const rest = other.bits & 7;
  return rest === 0 || ((row.bytes[whole] ?? 0) ^ (other.bytes[whole] ?? 0)) >> (8 - rest) === 0;
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
