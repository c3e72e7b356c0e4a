import { assertEquals } from "@std/assert";
import { addressText, argumentList, commandLine } from "./text.ts";

const UTF8 = new TextEncoder();

Deno.test("commandLine() joins arguments and keeps an empty one", () => {
  assertEquals(commandLine(UTF8.encode("a\0\0b c\0")), "a  b c");
  assertEquals(commandLine(new Uint8Array()), "");
});

Deno.test("argumentList() keeps empty arguments and takes a cut last one", () => {
  assertEquals(argumentList(UTF8.encode("a\0\0b")), ["a", "", "b"]);
  assertEquals(argumentList(new Uint8Array()), []);
});

// Cases of RFC 5952, section 4 and 5.
const ADDRESSES: readonly (readonly [hex: string, text: string])[] = [
  ["20010db8000000000000000000000001", "2001:db8::1"],
  ["20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"],
  ["20010000000000010000000000000001", "2001:0:0:1::1"],
  ["20010db8000000000001000000000001", "2001:db8::1:0:0:1"],
  ["00000000000000000000000000000000", "::"],
  ["00000000000000000000000000000001", "::1"],
  ["fe800000000000000000000000000000", "fe80::"],
];
for (const [hex, text] of ADDRESSES) {
  Deno.test(`addressText() writes ${text}`, () => {
    assertEquals(addressText(Uint8Array.fromHex(hex), 10), text);
  });
}
