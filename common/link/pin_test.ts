import { assertEquals, assertThrows } from "@std/assert";
import { ImmuneError } from "../config/errors.ts";
import {
  certificateDer,
  certificatePem,
  checkPinned,
  fingerprint,
  PIN_VARIABLES,
  pinnedEnvironment,
} from "./pin.ts";

Deno.test("pinnedEnvironment() replaces every variable that could add a trusted certificate", () => {
  const before = Object.fromEntries(PIN_VARIABLES.map((name) => [name, "/elsewhere"]));
  assertEquals(pinnedEnvironment("/s/hive.pem", { ...before, PATH: "/bin" }), {
    PATH: "/bin",
    DENO_TLS_CA_STORE: "system",
    SSL_CERT_FILE: "/s/hive.pem",
  });
});

Deno.test("checkPinned() takes the environment that pinnedEnvironment() makes and no other", () => {
  const good = pinnedEnvironment("/s/hive.pem", { PATH: "/bin" });
  checkPinned("/s/hive.pem", (name) => good[name]);
  for (const name of PIN_VARIABLES) {
    const wrong = { ...good, [name]: "" };
    const error = assertThrows(
      () => checkPinned("/s/hive.pem", (each) => wrong[each]),
      ImmuneError,
      `variable "${name}" must be`,
    );
    assertEquals(error.code, "HIVE_UNREACHABLE");
  }
  assertThrows(() => checkPinned("/t/hive.pem", (name) => good[name]), ImmuneError);
  assertThrows(() => checkPinned("/s/hive.pem", () => undefined), ImmuneError);
});

Deno.test("certificatePem() wraps at 64 characters, and certificateDer() reads it back", () => {
  const der = Uint8Array.from({ length: 301 }, (_, i) => i % 256);
  const text = certificatePem(der);
  assertEquals(Math.max(...text.split("\n").map((line) => line.length)), 64);
  assertEquals(certificateDer(text), der);
  assertEquals(certificateDer(text.replaceAll("\n", "\r\n")), der);
  assertEquals(certificateDer(text + text), undefined);
  assertEquals(
    certificateDer("-----BEGIN CERTIFICATE-----\n=A\n-----END CERTIFICATE-----\n"),
    undefined,
  );
});

Deno.test("fingerprint() is SHA-256, by the vector of FIPS 180-4", async () => {
  assertEquals(
    await fingerprint(new TextEncoder().encode("abc")),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});
