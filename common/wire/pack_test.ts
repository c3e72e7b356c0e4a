import { assertEquals, assertThrows } from "@std/assert";
import { ImmuneError } from "../config/mod.ts";
import { PACK_BYTES_MAX, readPack, writePack } from "./pack.ts";

Deno.test("writePack() gives the same bytes whatever order files come in", () => {
  const [a, b] = [{ name: "a.yml", text: "title: A" }, { name: "b.yaml", text: "title: B" }];
  assertEquals(writePack([a, b]), writePack([b, a]));
  assertEquals(readPack(writePack([b, a])), [a, b]);
});

Deno.test("readPack() refuses names that lead elsewhere, doubles, and what is no pack", () => {
  const pack = (files: unknown): Uint8Array =>
    new TextEncoder().encode(JSON.stringify({ version: 1, files }));
  const names = ["../a.yml", "/etc/a.yml", "a/b.yml", ".a.yml", "a.sh", "a.yml\0", "", "a..yml/"];
  for (const name of names) {
    const error = assertThrows(() => readPack(pack([{ name, text: "" }])), ImmuneError);
    assertEquals(error.code, "INPUT_MALFORMED", name);
  }
  const file = { name: "a.yml", text: "" };
  for (const files of [[file, file], [null], [{ name: "a.yml" }], {}, "x", undefined]) {
    assertThrows(() => readPack(pack(files)), ImmuneError);
  }
  for (
    const bytes of [new Uint8Array(0), new Uint8Array([0xFF]), new Uint8Array(PACK_BYTES_MAX + 1)]
  ) {
    assertThrows(() => readPack(bytes), ImmuneError);
  }
  assertThrows(() => readPack(new TextEncoder().encode("null")), ImmuneError);
});
