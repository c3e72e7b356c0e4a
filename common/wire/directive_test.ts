import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { POLICY_OPENS } from "./directive_body.ts";
import {
  type Directive,
  DIRECTIVE_HEADER,
  DIRECTIVE_HEADER_BYTES,
  directiveBytes,
  type DirectiveContent,
  EVERY_HOST,
  readDirective,
  sealDirective,
} from "./directive.ts";
import { DIRECTIVE_BODY_BYTES_MAX } from "./directive_body.ts";

const SEED = 5;
const SIGNATURE = new Uint8Array(64).fill(9);
const HEAD = {
  fleet: "ab".repeat(16),
  target: EVERY_HOST,
  number: 7,
  issuedMs: 1_700_000_000_000,
  expiresMs: 1_700_000_060_000,
} as const;
const STOP: Directive = { ...HEAD, kind: "stop", body: { action: "stop" } };

const hex = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((array) => array.toHex());
const nullable = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary);
const CONTENT: fc.Arbitrary<DirectiveContent> = fc.oneof(
  fc.record({ kind: fc.constant("rules" as const), body: fc.record({ pack: nullable(hex(32)) }) }),
  fc.record({
    kind: fc.constant("policy" as const),
    body: fc.record({
      open: nullable(fc.constantFrom(...POLICY_OPENS)),
      wakeIntervalUs: nullable(fc.nat(1_000_000)),
      watch: nullable(fc.array(fc.string({ maxLength: 9 }).map(pathOf), { maxLength: 5 })),
    }),
  }),
  fc.record({
    kind: fc.constant("keys" as const),
    body: fc.record({
      directive: nullable(hex(32)),
      stop: nullable(fc.record({ key: hex(32), signature: nullable(hex(64)) })),
    }),
  }),
  fc.record({
    kind: fc.constant("canary" as const),
    body: fc.record({ nonce: nullable(hex(16)) }),
  }),
  fc.record({
    kind: fc.constant("stop" as const),
    body: fc.record({
      action: fc.constantFrom("stop" as const, "drill" as const, "lift" as const),
    }),
  }),
);
const DIRECTIVE: fc.Arbitrary<Directive> = fc.tuple(
  fc.record({
    fleet: hex(16),
    target: hex(32),
    number: fc.maxSafeNat().map((number) => Math.max(1, number)),
    issuedMs: fc.maxSafeNat(),
    expiresMs: fc.maxSafeNat(),
  }),
  CONTENT,
).map(([head, content]) => structuredClone({ ...head, ...content }));

function pathOf(text: string): string {
  return `/${text.replaceAll("\0", "").replaceAll(/[\uD800-\uDFFF]/g, "")}`;
}

function causeOf(bytes: Uint8Array): string | undefined {
  const read = readDirective(bytes);
  return "cause" in read ? read.cause : undefined;
}

Deno.test("readDirective() gives back what directiveBytes() wrote", () => {
  fc.assert(
    fc.property(DIRECTIVE, (directive) => {
      const signed = directiveBytes(directive);
      const read = readDirective(sealDirective(signed, SIGNATURE));
      assert(!("cause" in read));
      assertEquals(read.directive, directive);
      assertEquals([read.signed, read.signature], [signed, SIGNATURE]);
      assertEquals(directiveBytes(read.directive), signed);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

Deno.test("readDirective() refuses every cut and every byte too many", () => {
  const whole = sealDirective(directiveBytes(STOP), SIGNATURE);
  for (let length = 0; length < whole.length; length++) {
    assertEquals(causeOf(whole.subarray(0, length)), "malformed", `${length} bytes`);
  }
  const longer = new Uint8Array(whole.length + 1);
  longer.set(whole);
  assertEquals(causeOf(longer), "malformed");
  assertEquals(causeOf(new Uint8Array(1 << 20)), "malformed");
});

Deno.test("readDirective() tells an unknown kind from what is malformed", () => {
  const change = (offset: number, value: number): Uint8Array => {
    const bytes = sealDirective(directiveBytes(STOP), SIGNATURE);
    new DataView(bytes.buffer).setUint16(offset, value, true);
    return bytes;
  };
  assertEquals(causeOf(change(DIRECTIVE_HEADER.kind, 99)), "unknown_kind");
  for (
    const offset of [
      DIRECTIVE_HEADER.magic,
      DIRECTIVE_HEADER.version,
      DIRECTIVE_HEADER.length,
      DIRECTIVE_HEADER.body_length,
    ]
  ) assertEquals(causeOf(change(offset, 77)), "malformed");
  assertEquals(causeOf(change(DIRECTIVE_HEADER.number, 0)), "malformed");
  assertEquals(causeOf(change(DIRECTIVE_HEADER.number + 6, 0xFFFF)), "malformed");
});

Deno.test("readDirective() takes a body in one form only", () => {
  const withBody = (kind: number, text: string): Uint8Array => {
    const body = new TextEncoder().encode(text);
    const signed = new Uint8Array(DIRECTIVE_HEADER_BYTES + body.length);
    signed.set(directiveBytes(STOP).subarray(0, DIRECTIVE_HEADER_BYTES));
    signed.set(body, DIRECTIVE_HEADER_BYTES);
    const view = new DataView(signed.buffer);
    view.setUint16(DIRECTIVE_HEADER.kind, kind, true);
    view.setUint32(DIRECTIVE_HEADER.length, signed.length + SIGNATURE.length, true);
    view.setUint32(DIRECTIVE_HEADER.body_length, body.length, true);
    return sealDirective(signed, SIGNATURE);
  };
  assertEquals(causeOf(withBody(32, '{"action":"stop"}')), undefined);
  for (
    const text of [
      '{"action": "stop"}',
      '{"action":"stop","more":1}',
      '{"action":"stop","action":"drill"}',
      '{"action":"wipe"}',
      '["stop"]',
      "null",
      "{}",
      '{"action":"stop"',
      `{"action":"${"x".repeat(DIRECTIVE_BODY_BYTES_MAX)}"}`,
    ]
  ) assertEquals(causeOf(withBody(32, text)), "malformed", text.slice(0, 40));
  const wrong: readonly (readonly [number, string])[] = [
    [1, '{"pack":"../../etc"}'],
    [1, `{"pack":"${"A".repeat(64)}"}`],
    [2, '{"open":"all","wakeIntervalUs":null,"watch":null}'],
    [2, '{"open":null,"wakeIntervalUs":-1,"watch":null}'],
    [2, '{"open":null,"wakeIntervalUs":null,"watch":["relative"]}'],
    [2, '{"open":null,"wakeIntervalUs":null,"watch":"/etc"}'],
    [3, '{"directive":"00","stop":null}'],
    [3, `{"directive":null,"stop":{"key":"${"0".repeat(64)}"}}`],
    [16, "{}"],
    [16, '{"nonce":"00"}'],
  ];
  for (const [kind, text] of wrong) assertEquals(causeOf(withBody(kind, text)), "malformed", text);
});

Deno.test("directiveBytes() refuses what readDirective() would refuse", () => {
  const body = { action: "wipe" } as unknown as { action: "stop" };
  assertThrows(() => directiveBytes({ ...HEAD, kind: "stop", body }), RangeError);
  assertThrows(() => directiveBytes({ ...STOP, fleet: "00" }), RangeError);
  assertThrows(() => directiveBytes({ ...STOP, target: "00" }), RangeError);
});
