import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { FakeClock, ImmuneError } from "../../common/config/mod.ts";
import { inFolder, makeRequest } from "./_test_support.ts";
import { Authority, CLIENT_DAYS, CLOCK_SKEW_MS, DAY_MS } from "./authority.ts";
import { fingerprint } from "./fingerprint.ts";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509Certificate,
} from "./x509.ts";

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

const NOW_MS = Date.UTC(2031, 4, 6);
const AGENT = "0b0c0d0e-1234-4abc-8def-001122334455";

Deno.test("Authority.open() makes a constrained authority once, keys of mode 0600", async () => {
  await inFolder(async (folder) => {
    const made = await Authority.open(folder, { clock: new FakeClock(NOW_MS) });
    const again = await Authority.open(folder);
    assertEquals(again.certificatePem, made.certificatePem);
    for (const name of ["ca.key", "ca.pem"]) {
      assertEquals((Deno.statSync(`${folder}/${name}`).mode ?? 0) & 0o777, 0o600);
    }
    const certificate = new X509Certificate(made.certificatePem);
    const basic = certificate.getExtension(BasicConstraintsExtension);
    assertEquals([basic?.ca, basic?.pathLength, basic?.critical], [true, 0, true]);
    const usages = certificate.getExtension(KeyUsagesExtension);
    assertEquals([usages?.usages, usages?.critical], [KeyUsageFlags.keyCertSign, true]);
    assert(await certificate.isSelfSigned());
  });
});

Deno.test("Authority.sign() gives a client's certificate, no name is the request's", async () => {
  await inFolder(async (folder) => {
    const authority = await Authority.open(folder, { clock: new FakeClock(NOW_MS) });
    const { request } = await makeRequest();
    const signed = await authority.sign(request, { agentId: AGENT });
    const certificate = new X509Certificate(signed.pem);
    const publicKey = new X509Certificate(authority.certificatePem);
    assert(await certificate.verify({ publicKey, date: new Date(NOW_MS) }));
    assertEquals(certificate.subject, `CN=${AGENT}`);
    assertEquals(certificate.notAfter.getTime(), NOW_MS + CLIENT_DAYS * DAY_MS);
    assertEquals(certificate.notBefore.getTime(), NOW_MS - CLOCK_SKEW_MS);
    assertEquals(signed.notAfterMs, certificate.notAfter.getTime());
    assertEquals(signed.fingerprint, fingerprint(new Uint8Array(certificate.rawData)));
    assertMatch(signed.fingerprint, /^[0-9a-f]{64}$/);
    const basic = certificate.getExtension(BasicConstraintsExtension);
    assertEquals([basic?.ca, basic?.critical], [false, true]);
    assertEquals([...certificate.getExtension(ExtendedKeyUsageExtension)?.usages ?? []], [
      "1.3.6.1.5.5.7.3.2",
    ]);
    assertEquals(
      certificate.getExtension(SubjectAlternativeNameExtension)?.names.toJSON(),
      [
        { type: "url", value: `urn:uuid:${AGENT}` },
        { type: "dns", value: `${AGENT}.${authority.fleetId}.immune.invalid` },
      ],
    );
  });
});

Deno.test("Authority.sign() never uses a serial number twice", async () => {
  await inFolder(async (folder) => {
    const authority = await Authority.open(folder);
    const { request } = await makeRequest();
    const [a, b] = await Promise.all([1, 2].map(() => authority.sign(request, { agentId: AGENT })));
    const serial = (pem = ""): string => new X509Certificate(pem).serialNumber;
    assertNotEquals(serial(a?.pem), serial(b?.pem));
    assertMatch(serial(a?.pem), /^[4-7][0-9a-f]{31}$/);
  });
});

Deno.test("Authority.sign() refuses what is no request, or not signed by its key", async () => {
  await inFolder(async (folder) => {
    const authority = await Authority.open(folder);
    const { request } = await makeRequest();
    const der = new Uint8Array(PemConverter.decodeFirst(request));
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    const forged = PemConverter.encode(der, "CERTIFICATE REQUEST");
    const rsa = await new Deno.Command("openssl", {
      args: [
        "req",
        "-new",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "/dev/null",
        "-subj",
        "/CN=a",
      ],
      stderr: "null",
    }).output();
    const otherKey = new TextDecoder().decode(rsa.stdout);
    for (const bad of [forged, otherKey, authority.certificatePem, "", "hello"]) {
      const error = await assertRejects(() => authority.sign(bad, { agentId: AGENT }), ImmuneError);
      assertEquals(error.code, "ENROLL_REFUSED");
    }
  });
});

Deno.test("Authority.open() replaces no missing key and takes no foreign one", async () => {
  await inFolder(async (folder) => {
    await Authority.open(folder);
    const other = await makeRequest();
    for (
      const tamper of [
        (): void => Deno.writeTextFileSync(`${folder}/ca.key`, other.keyPem),
        (): void => Deno.writeTextFileSync(`${folder}/ca.key`, "no key"),
        (): void => Deno.removeSync(`${folder}/ca.key`),
      ]
    ) {
      tamper();
      const error = await assertRejects(() => Authority.open(folder), ImmuneError);
      assertEquals(error.code, "STATE_UNUSABLE");
    }
    assertEquals(namesIn(folder), ["ca.pem", "fleet"]);
  });
});

Deno.test("Authority.open() goes on after a stop between key and certificate", async () => {
  await inFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/ca.key`, (await makeRequest()).keyPem);
    const authority = await Authority.open(folder);
    assertEquals((await Authority.open(folder)).certificatePem, authority.certificatePem);
  });
});
