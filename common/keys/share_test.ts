import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ImmuneError } from "../config/errors.ts";
import { fromBase32, toBase32 } from "./base32.ts";
import { readShare, type Share, SHARE_TEXT_MAX, shareHash, shareText } from "./share.ts";

const SEED = 17;
const SHARE: Share = {
  holder: 2,
  holders: 5,
  threshold: 3,
  set: "0a0b0c0d",
  value: new Uint8Array(33).fill(1),
};

Deno.test("toBase32() and fromBase32() keep to RFC 4648, section 10", () => {
  for (const [text, code] of [["f", "MY"], ["fo", "MZXQ"], ["foo", "MZXW6"], ["foob", "MZXW6YQ"]]) {
    const bytes = new TextEncoder().encode(text);
    assertEquals(toBase32(bytes), code);
    assertEquals(fromBase32((code ?? "").toLowerCase()), bytes);
  }
  for (const wrong of ["M0", "MZ1", "MZ", "A"]) assertEquals(fromBase32(wrong), undefined, wrong);
});

Deno.test("readShare() gives back what shareText() wrote, however it was typed", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.integer({ min: 1, max: 255 }), (
      bytes,
      x,
    ) => {
      const value = new Uint8Array([...bytes, x]);
      const text = shareText({ ...SHARE, value });
      assertEquals(readShare(text), { ...SHARE, value });
      assertEquals(readShare(`share of holder 2:\n${text.toLowerCase()}\n`), { ...SHARE, value });
      assertEquals(readShare(text.replaceAll("-", " \n").replace(" \n", "-")), {
        ...SHARE,
        value,
      });
    }),
    { seed: SEED, numRuns: 100 },
  );
});

Deno.test("readShare() finds every mistyped character and every swap of neighbours", () => {
  const text = shareText(SHARE);
  const start = "IMMUNE-SHARE-".length;
  for (let at = start; at < text.length; at++) {
    if (text[at] === "-") continue;
    const other = text[at] === "A" ? "B" : "A";
    assertThrows(() => readShare(text.slice(0, at) + other + text.slice(at + 1)), ImmuneError);
    const next = text[at + 1] ?? "";
    if (next === text[at] || next === "-" || next === "") continue;
    assertThrows(
      () => readShare(text.slice(0, at) + next + text[at] + text.slice(at + 2)),
      ImmuneError,
    );
  }
});

Deno.test("readShare() refuses whatever else it is given, and shows none of it", () => {
  const text = shareText(SHARE);
  const wrong = [
    "",
    "IMMUNE-SHARE-",
    text.slice(0, -1),
    `${text}A`,
    "A".repeat(SHARE_TEXT_MAX + 1),
  ];
  for (const each of wrong) {
    const error = assertThrows(() => readShare(each), ImmuneError);
    assertEquals(error.code, "SHARE_INVALID");
    assert(!error.message.includes(text.slice(14, 20)));
  }
  for (const numbers of [{ holder: 6 }, { holder: 0 }, { threshold: 1 }, { holders: 11 }]) {
    assertThrows(() => readShare(shareText({ ...SHARE, ...numbers })), ImmuneError);
  }
});

Deno.test("shareHash() differs for every part of a share", () => {
  const changes = [{ holder: 3 }, { threshold: 2 }, { set: "0a0b0c0e" }, {
    value: SHARE.value.with(0, 2),
  }];
  const hashes = [SHARE, ...changes.map((change) => ({ ...SHARE, ...change }))].map(shareHash);
  assertEquals(new Set(hashes).size, hashes.length);
});
