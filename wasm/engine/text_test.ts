import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Core } from "./core.ts";

const core = await Core.create();
const SCRATCH = core.exports.region(5);

function written(length: number): string {
  return new TextDecoder().decode(core.memory.slice(SCRATCH, SCRATCH + length));
}

function ipv6(address: Uint8Array): string {
  core.memory.set(address, core.text);
  return written(core.exports.write_ipv6(core.text));
}

Deno.test("write_decimal() writes any u64", () => {
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
    assertEquals(written(core.exports.write_decimal(value)), String(value));
  }));
  assertEquals(written(core.exports.write_decimal(0n)), "0");
  assertEquals(written(core.exports.write_decimal(2n ** 64n - 1n)), "18446744073709551615");
});

Deno.test("write_hex64() writes 16 digits", () => {
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
    assertEquals(written(core.exports.write_hex64(value)), value.toString(16).padStart(16, "0"));
  }));
});

Deno.test("write_ipv4() writes four numbers", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (address) => {
    core.memory.set(address, core.text);
    assertEquals(written(core.exports.write_ipv4(core.text)), address.join("."));
  }));
});

/** RFC 5952 as the WHATWG URL parser writes it; mapped addresses differ there (section 5). */
function oracle(address: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => {
    return ((address[2 * i] ?? 0) << 8 | (address[2 * i + 1] ?? 0)).toString(16);
  });
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

Deno.test("write_ipv6() agrees with the URL parser", () => {
  const group = fc.oneof(fc.constant(0), fc.constant(0), fc.nat(15), fc.nat(0xFFFF));
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const address = Uint8Array.from(groups.flatMap((value) => [value >> 8, value & 255]));
      fc.pre(!(groups.slice(0, 5).every((each) => each === 0) && groups[5] === 0xFFFF));
      assertEquals(ipv6(address), oracle(address));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("write_ipv6() writes the examples of RFC 5952", () => {
  const examples: readonly (readonly [string, string])[] = [
    ["20010db8000000000000000000000001", "2001:db8::1"],
    ["20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"],
    ["20010db8000000000001000000000001", "2001:db8::1:0:0:1"],
    ["00000000000000000000000000000000", "::"],
    ["00000000000000000000000000000001", "::1"],
    ["fe800000000000000000000000000000", "fe80::"],
    ["00000000000000000000ffffc0000201", "::ffff:192.0.2.1"],
  ];
  for (const [hex, text] of examples) assertEquals(ipv6(Uint8Array.fromHex(hex)), text);
});
