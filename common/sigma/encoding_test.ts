import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { decoded, encode } from "./encoding.ts";
import { ModifierError, type TextStep } from "./modifiers.ts";
import { parseValue, type Pattern } from "./value.ts";

type Step = Exclude<TextStep, "expand">;

function through(value: string, ...steps: readonly Step[]): readonly Pattern[] {
  const start = { pattern: parseValue(value), bytes: false };
  return steps.reduce(
    (values, step) => values.flatMap((one) => encode(one, step)),
    [start],
  ).map(decoded);
}

function latin(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

Deno.test("encode() base64offset finds a text in the Base64 form of any text around it", () => {
  const bytes = fc.uint8Array({ maxLength: 9 });
  const text = fc.string({ unit: "binary", minLength: 1, maxLength: 12 })
    .filter((value) => !/[\\*?]/.test(value) && value.isWellFormed());
  fc.assert(fc.property(bytes, text, bytes, (before, value, after) => {
    const whole = [...before, ...new TextEncoder().encode(value), ...after];
    const encoded = btoa(latin(Uint8Array.from(whole)));
    const forms = through(value, "base64offset").map((form) => form.join(""));
    assertEquals(forms.some((form) => encoded.includes(form)), true, `${forms} in ${encoded}`);
  }));
});

Deno.test("encode() utf16 writes code units in both orders, and a mark", () => {
  assertEquals(through("ab", "utf16le"), [["a b "]]);
  assertEquals(through("ab", "utf16be"), [[" a b"]]);
  assertEquals(through("ab", "utf16"), [["\uFEFFa b "]]);
  assertEquals(through("\u20AC\u{1F600}", "utf16le", "base64"), [
    [btoa("\xAC\x20\x3D\xD8\x00\xDE")],
  ]);
  assertEquals(through("a", "utf16", "base64"), [[btoa("\xFF\xFEa\0")]]);
});

Deno.test("encode() base64 twice, and its text as UTF-16", () => {
  assertEquals(through("ab", "base64", "base64"), [[btoa(btoa("ab"))]]);
  assertEquals(through("ab", "base64", "utf16le"), [[
    [...btoa("ab")].map((c) => `${c} `).join(""),
  ]]);
});

Deno.test("encode() windash makes each form of each dash that begins an option", () => {
  const forms = through("-a b-c /d", "windash").map((form) => form.join(""));
  assertEquals(forms.length, 25);
  assertEquals(forms.includes("/a b-c \u2015d"), true);
  assertEquals(new Set(forms).size, 25);
  assertEquals(through("a - b", "windash"), [["a - b"]]);
});

Deno.test("encode() refuses wildcards in Base64, bytes that are no text, and too many forms", () => {
  const refused: readonly (readonly [string, readonly Step[], string])[] = [
    ["a*", ["base64"], "no wildcard"],
    ["a?b", ["base64offset"], "no wildcard"],
    ["\u00E9", ["utf16le"], "add base64"],
    [" -a".repeat(20), ["windash"], "split the value"],
    ["-a*".repeat(20), ["windash"], "split the value"],
  ];
  for (const [value, steps, part] of refused) {
    const { message } = assertThrows(() => through(value, ...steps), ModifierError);
    assertEquals(message.includes(part), true, message);
  }
});
