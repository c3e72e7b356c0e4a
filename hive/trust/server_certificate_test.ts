import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock, ImmuneError } from "../../common/config/mod.ts";
import { inFolder } from "./_test_support.ts";
import { DAY_MS, SERVER_DAYS } from "./dates.ts";
import { fingerprint } from "./fingerprint.ts";
import { openServerCertificate } from "./server_certificate.ts";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
} from "./x509.ts";

Deno.test("openServerCertificate() makes a self-signed one that is no authority", async () => {
  await inFolder(async (folder) => {
    const names = ["hive.example", "192.0.2.7", "2001:db8::1"];
    const made = await openServerCertificate(folder, { names });
    const certificate = new X509Certificate(made.certificatePem);
    assert(await certificate.isSelfSigned());
    assertEquals(certificate.getExtension(BasicConstraintsExtension)?.ca, false);
    assertEquals([...certificate.getExtension(ExtendedKeyUsageExtension)?.usages ?? []], [
      "1.3.6.1.5.5.7.3.1",
    ]);
    const items = certificate.getExtension(SubjectAlternativeNameExtension)?.names.toJSON() ?? [];
    assertEquals(items.filter(({ type }) => type === "dns").map(({ value }) => value), [
      "immune-hive",
      "localhost",
      "hive.example",
    ]);
    assertEquals(items.filter(({ type }) => type === "ip").length, 4);
    assertEquals(made.fingerprint, fingerprint(made.der));
    assertEquals((await openServerCertificate(folder)).fingerprint, made.fingerprint);
    assertEquals((Deno.statSync(`${folder}/server.key`).mode ?? 0) & 0o777, 0o600);
  });
});

Deno.test("openServerCertificate() says when the certificate has run out", async () => {
  await inFolder(async (folder) => {
    const clock = new FakeClock(Date.UTC(2030, 0, 1));
    await openServerCertificate(folder, { clock });
    clock.advance(SERVER_DAYS * DAY_MS - 1);
    await openServerCertificate(folder, { clock });
    clock.advance(1);
    const error = await assertRejects(() => openServerCertificate(folder, { clock }), ImmuneError);
    assertEquals(error.code, "STATE_UNUSABLE");
  });
});
