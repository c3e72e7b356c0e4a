import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { portPrefixes, type Prefix, withShorter } from "./prefixes.ts";

/** Whether a value of two bytes starts with a prefix. */
function holds(value: number, { bytes, bits }: Pick<Prefix, "bytes" | "bits">): boolean {
  const start = (bytes[0] ?? 0) << 8 | (bytes[1] ?? 0);
  return bits === 0 || value >> (16 - bits) === start >> (16 - bits);
}

Deno.test("portPrefixes() covers a range, each port once, in at most 30", () => {
  const port = fc.integer({ min: 0, max: 65535 });
  fc.assert(fc.property(port, port, port, (a, b, probe) => {
    const [from, to] = [Math.min(a, b), Math.max(a, b)];
    const found = portPrefixes(from, to);
    const expected = probe >= from && probe <= to ? 1 : 0;
    assertEquals(found.filter((prefix) => holds(probe, prefix)).length, expected);
    assertEquals(found.length <= 30, true);
  }));
});

Deno.test("withShorter() gives the longest prefix what all that hold have", () => {
  const prefix = fc.record({
    bytes: fc.uint8Array({ minLength: 2, maxLength: 2 }),
    bits: fc.integer({ min: 0, max: 16 }),
    entries: fc.bigInt({ min: 1n, max: 255n }),
  });
  const value = fc.integer({ min: 0, max: 65535 });
  fc.assert(fc.property(fc.array(prefix, { maxLength: 12 }), value, (prefixes, probe) => {
    const clean = prefixes.map(({ bytes, bits, entries }): Prefix => {
      const start = ((bytes[0] ?? 0) << 8 | (bytes[1] ?? 0)) & (0xFFFF << (16 - bits));
      return { bytes: Uint8Array.of(start >> 8 & 0xFF, start & 0xFF), bits, entries };
    });
    const expected = clean.filter((each) => holds(probe, each))
      .reduce((bits, { entries }) => bits | entries, 0n);
    const longest = withShorter(clean).filter((each) => holds(probe, each))
      .sort((a, b) => b.bits - a.bits)[0];
    assertEquals(longest?.entries ?? 0n, expected);
  }));
});
