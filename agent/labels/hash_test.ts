import { assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { MARK_TYPES } from "../../common/sigma/role_marks.ts";
import { MARK_BYTES, TERM_BYTES, writeMarks } from "./encode.ts";
import { markHash, openMarkHash, sequenceHash } from "./hash.ts";

Deno.test("markHash() stays what bpf/loader/label_test.c has written down", async () => {
  const source = new URL("../../bpf/loader/label_test.c", import.meta.url);
  const text = await Deno.readTextFile(source);
  const written = (name: string): bigint =>
    BigInt(new RegExp(`HASH_${name} (0x[0-9a-f]{16})ull`).exec(text)?.[1] ?? 0);
  const tail = (name: string): bigint => markHash({ type: "tail", components: [name] });
  assertEquals(tail("immune-server"), written("TAIL_IMMUNE_SERVER"));
  assertEquals(tail("SH"), written("TAIL_SH"));
  assertEquals(
    markHash({ type: "argument", components: ["@vendor", "agent"] }),
    written("ARGUMENT_PACKAGE"),
  );
});

Deno.test("markHash() tells types and the cut between components apart", () => {
  const of = (components: readonly string[]): readonly bigint[] =>
    (Object.keys(MARK_TYPES) as (keyof typeof MARK_TYPES)[]).map((type) =>
      markHash({ type, components })
    );
  const hashes = [...of(["ab", "c"]), ...of(["a", "bc"]), ...of(["abc"]), ...of(["abc", ""])];
  assertEquals(new Set(hashes).size, hashes.length);
  assertNotEquals(hashes[0], 0n);
});

/** The same by numbers of any length. */
function oracle(seed: number, components: readonly string[]): bigint {
  const times = (hash: bigint): bigint => BigInt.asUintN(64, hash * 0x100_0000_01b3n);
  let sequence = BigInt(seed);
  for (const component of components) {
    let hash = 0xcbf2_9ce4_8422_2325n;
    for (const byte of new TextEncoder().encode(component)) {
      hash = times(hash ^ BigInt(byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte));
    }
    sequence = times(sequence ^ hash);
    sequence ^= sequence >> 32n;
  }
  return sequence;
}

Deno.test("sequenceHash() is FNV-1a of 64 bits over components, any components", () => {
  const components = fc.array(fc.string({ unit: "binary", maxLength: 60 }), { maxLength: 20 });
  fc.assert(fc.property(fc.nat(20), components, (seed, components) => {
    const { high, low } = sequenceHash(seed, components);
    assertEquals(BigInt(high) << 32n | BigInt(low), oracle(seed, components));
  }));
  assertEquals(openMarkHash({ type: "last", components: ["A"] }), oracle(15, ["a"]));
});

Deno.test("writeMarks() puts marks and terms where the loader reads them", () => {
  const view = new DataView(new ArrayBuffer(MARK_BYTES + TERM_BYTES));
  writeMarks(view, {
    marks: [{
      type: "tail",
      components: ["x"],
      slashBefore: true,
      slashAfter: false,
      bits: 1n << 63n,
    }],
    terms: [{ all: 1n << 63n, none: 2n, role: 64 }],
    opens: [],
  });
  assertEquals(view.getBigUint64(0, true), markHash({ type: "tail", components: ["x"] }));
  assertEquals(view.getBigUint64(8, true), 1n << 63n);
  assertEquals(view.getUint32(16, true), 1);
  assertEquals(view.getBigUint64(24, true), 1n << 63n);
  assertEquals(view.getBigUint64(32, true), 2n);
  assertEquals(view.getUint32(40, true), 64);
});
