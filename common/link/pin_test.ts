import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { ImmuneError } from "../config/errors.ts";
import {
  certificateDer,
  certificatePem,
  certificatesIn,
  checkPinned,
  fingerprint,
  PIN_VARIABLES,
  pinnedEnvironment,
  pinSetId,
} from "./pin.ts";

Deno.test("pinnedEnvironment() replaces every variable that could add a trusted certificate", () => {
  const before = Object.fromEntries(PIN_VARIABLES.map((name) => [name, "/elsewhere"]));
  assertEquals(pinnedEnvironment({ ...before, PATH: "/bin" }), {
    PATH: "/bin",
    DENO_TLS_CA_STORE: "system",
    SSL_CERT_FILE: "/dev/null",
  });
});

Deno.test("checkPinned() takes the environment that pinnedEnvironment() makes and no other", () => {
  const good = pinnedEnvironment({ PATH: "/bin" });
  checkPinned((name) => good[name]);
  for (const name of PIN_VARIABLES) {
    const wrong = { ...good, [name]: "" };
    const error = assertThrows(
      () => checkPinned((each) => wrong[each]),
      ImmuneError,
      `variable "${name}" must be`,
    );
    assertEquals(error.code, "HIVE_UNREACHABLE");
  }
  assertThrows(() => checkPinned(() => undefined), ImmuneError);
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

Deno.test("certificatesIn() finds each certificate of a file", () => {
  const [one, two] = [certificatePem(new Uint8Array(9)), certificatePem(new Uint8Array(99))];
  assertEquals(certificatesIn(`${one}${two}`), [one, two]);
  assertEquals(certificatesIn(`text\n${one}more\n\n${two}`), [one, two]);
  assertEquals(certificatesIn("none"), []);
});

Deno.test("fingerprint() is SHA-256, by the vector of FIPS 180-4", async () => {
  assertEquals(
    await fingerprint(new TextEncoder().encode("abc")),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});

Deno.test("pinSetId() is of the set, whatever the order", async () => {
  const [one, two, three] = [1, 2, 3].map((length) => new Uint8Array(length));
  const id = async (...pins: (Uint8Array<ArrayBuffer> | undefined)[]): Promise<string> =>
    await pinSetId(pins.filter((each) => each !== undefined));
  assertEquals(await id(one, two), await id(two, one));
  assertNotEquals(await id(one, two), await id(one, three));
  assertNotEquals(await id(one, two), await id(one));
});
