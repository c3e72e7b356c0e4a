import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { scryptSync } from "node:crypto";
import { ImmuneError } from "../../common/config/errors.ts";
import {
  checkPassword,
  HASHES_AT_ONCE_MAX,
  HASHES_WAITING_MAX,
  PASSWORD_CHARACTERS_MAX,
  PasswordHasher,
} from "./password.ts";

Deno.test("scrypt gives what RFC 7914 says", () => {
  const hash = scryptSync("pleaseletmein", "SodiumChloride", 64, { N: 16384, r: 8, p: 1 });
  assertEquals(
    hash.toString("hex"),
    "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2" +
      "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
  );
});

Deno.test("PasswordHasher knows a password again, and no other", async () => {
  const hasher = new PasswordHasher();
  const kept = await hasher.hash("correct horse é");
  assert(/^\$scrypt\$ln=15,r=8,p=3\$/.test(kept));
  assert(kept !== await hasher.hash("correct horse é"), "each has its own salt");
  assertEquals(await hasher.verify("correct horse é", kept), true);
  assertEquals(await hasher.verify("correct horse e\u0301", kept), true);
  for (const wrong of ["correct horse e", "", " correct horse é", "correct horse é\0"]) {
    assertEquals(await hasher.verify(wrong, kept), false);
  }
});

Deno.test("PasswordHasher refuses where there is no password or a damaged hash", async () => {
  const hasher = new PasswordHasher();
  assertEquals(await hasher.verify("", undefined), false);
  assertEquals(await hasher.verify("", "$scrypt$ln=99,r=8,p=3$x$y"), false);
});

Deno.test("PasswordHasher hashes a few at a time, lets some wait, and refuses more", async () => {
  const hasher = new PasswordHasher();
  const room = HASHES_AT_ONCE_MAX + HASHES_WAITING_MAX;
  const asked = Array.from({ length: room }, () => hasher.hash("x"));
  const { code } = await assertRejects(() => hasher.hash("x"), ImmuneError);
  assertEquals([code, hasher.refused], ["RATE_LIMITED", 1]);
  assertEquals(new Set(await Promise.all(asked)).size, room);
  await hasher.hash("x");
});

Deno.test("checkPassword() refuses what is short, long, repeated, the name or no text", () => {
  checkPassword("correct horse battery", "ada");
  checkPassword("пароль из слов длинный", "ada");
  const long = "ab cd ef ".repeat(PASSWORD_CHARACTERS_MAX);
  for (const none of ["\0", "\x1b", "\uFFFD", "\uD800"]) {
    assertThrows(
      () => checkPassword(`correct horse battery${none}`, "ada"),
      ImmuneError,
      "no text",
    );
  }
  for (const bad of ["", "fourteen chars", "aaaaaaaaaaaaaaaaaaaaaa", "hello Ada Lovelace", long]) {
    const { code } = assertThrows(() => checkPassword(bad, "ada"), ImmuneError);
    assertEquals(code, "INPUT_MALFORMED");
  }
});
