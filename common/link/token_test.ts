import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ImmuneError } from "../config/errors.ts";
import { type EnrollmentToken, TOKEN_CHARACTERS_MAX } from "./protocol.ts";
import { decodeToken, encodeToken } from "./token.ts";

const TOKEN: EnrollmentToken = {
  version: 2,
  enroll: "hive.example:9997",
  agents: "[::1]:9998",
  pins: ["MAA="],
  secret: "A".repeat(43),
};

function refusal(text: string): string {
  let message = "";
  assertThrows(() => {
    try {
      decodeToken(text);
    } catch (error) {
      if (error instanceof ImmuneError && error.code === "TOKEN_INVALID") message = error.message;
      throw error;
    }
  }, ImmuneError);
  return message;
}

function textOf(value: unknown): string {
  return new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: "base64url" });
}

Deno.test("decodeToken() gives what encodeToken() was given, with space around it", () => {
  assertEquals(decodeToken(encodeToken(TOKEN)), TOKEN);
  assertEquals(decodeToken(`\n  ${encodeToken(TOKEN)}\r\n`), TOKEN);
});

Deno.test("decodeToken() names what is wrong and never a part of the token", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", "it is empty"],
    ["A".repeat(TOKEN_CHARACTERS_MAX + 1), `it has more than ${TOKEN_CHARACTERS_MAX} characters`],
    ["not base64url!", "it is not base64url; a part of it may be missing"],
    [encodeToken(TOKEN).slice(0, 100), "its content is cut or changed"],
    [textOf([]), "it holds something else"],
    [textOf({ ...TOKEN, version: 1 }), 'its field "version" does not hold'],
    [textOf({ ...TOKEN, secret: "A".repeat(42) }), 'its field "secret" does not hold'],
    [textOf({ ...TOKEN, agents: "hive" }), 'its field "agents" is not HOST:PORT'],
    [textOf({ ...TOKEN, enroll: "a/b@c:1" }), 'its field "enroll" is not HOST:PORT'],
    [textOf({ ...TOKEN, enroll: "hive:70000" }), 'its field "enroll" is not HOST:PORT'],
    [textOf({ ...TOKEN, more: 1 }), "it holds something else"],
  ];
  for (const [text, why] of cases) {
    assertEquals(
      refusal(text),
      `Cannot use enrolment token: ${why}; make a new one on the hive and hand it over whole`,
    );
  }
});

Deno.test("decodeToken() refuses any other text with its own error", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.base64String(), fc.json()), (text) => {
    refusal(text);
  }));
  fc.assert(fc.property(fc.jsonValue(), (value) => void refusal(textOf(value))));
});
