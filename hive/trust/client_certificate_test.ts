import { assert, assertEquals } from "@std/assert";
import { FakeClock } from "../../common/config/mod.ts";
import { inFolder, makeRequest, signWith } from "./_test_support.ts";
import { Authority, CLOCK_SKEW_MS } from "./authority.ts";
import { agentName } from "./fleet_id.ts";
import { type CertificateCheck, ClientCertificateChecker } from "./client_certificate.ts";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralNames,
  PemConverter,
  SubjectAlternativeNameExtension,
} from "./x509.ts";

const NOW_MS = Date.UTC(2031, 4, 6);
const AGENT = "0b0c0d0e-1234-4abc-8def-001122334455";

function der(pem: string): Uint8Array {
  return new Uint8Array(PemConverter.decodeFirst(pem));
}

function checkerOf(authority: Authority): ClientCertificateChecker {
  const { certificatePem, fleetId } = authority;
  return new ClientCertificateChecker({ authoritiesPem: [certificatePem], fleetId });
}

function why(check: CertificateCheck): string {
  return check.ok ? "accepted" : check.why;
}

Deno.test("check() accepts its authority's certificate, within its dates alone", async () => {
  await inFolder(async (folder) => {
    const authority = await Authority.open(folder, { clock: new FakeClock(NOW_MS) });
    const { request } = await makeRequest();
    const signed = await authority.sign(request, { agentId: AGENT, days: 1 });
    const checker = checkerOf(authority);
    const bytes = der(signed.pem);
    const accepted = checker.check(bytes, NOW_MS);
    assert(accepted.ok);
    assertEquals(accepted.certificate, {
      fingerprint: signed.fingerprint,
      agentId: AGENT,
      notBeforeMs: NOW_MS - CLOCK_SKEW_MS,
      notAfterMs: signed.notAfterMs,
    });
    assertEquals(why(checker.check(bytes, signed.notAfterMs)), "accepted");
    assertEquals(why(checker.check(bytes, signed.notAfterMs + 1)), "it has run out");
    assertEquals(
      why(checker.check(bytes, NOW_MS - CLOCK_SKEW_MS - 1)),
      "it does not hold yet",
    );
  });
});

Deno.test("check() refuses a certificate of which any bit differs that nobody signed", async () => {
  await inFolder(async (folder) => {
    const authority = await Authority.open(folder, { clock: new FakeClock(NOW_MS) });
    const { request } = await makeRequest();
    const whole = der((await authority.sign(request, { agentId: AGENT })).pem);
    const checker = checkerOf(authority);
    const signedBytes = ((whole[6] ?? 0) << 8) | (whole[7] ?? 0);
    const unsigned = [...whole.keys()].filter((at) => at < 8 || at >= 8 + signedBytes);
    assert(unsigned.length > 80 && unsigned.length < 120);
    for (const at of unsigned) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = whole.with(at, (whole[at] ?? 0) ^ (1 << bit));
        assertEquals([at, bit, checker.check(changed, NOW_MS).ok], [at, bit, false]);
      }
    }
    // The same certificate with lengths written longer than they have to be.
    const longer = new Uint8Array([0x30, 0x83, 0, ...whole.subarray(2)]);
    assertEquals(why(checker.check(longer, NOW_MS)), "it cannot be read");
    assertEquals(why(checker.check(whole, NOW_MS)), "accepted");
  });
});

Deno.test("check() refuses another authority's certificate of the same name", async () => {
  await inFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/other`);
    const own = await Authority.open(folder);
    const other = await Authority.open(`${folder}/other`);
    const { request } = await makeRequest();
    const signed = await other.sign(request, { agentId: AGENT });
    const checker = checkerOf(own);
    assertEquals(why(checker.check(der(signed.pem), Date.now())), "another authority signed it");
    assertEquals(
      why(checker.check(der(other.certificatePem), Date.now())),
      "another authority signed it",
    );
  });
});

Deno.test("check() refuses its authority's certificate that is not for agents", async () => {
  await inFolder(async (folder) => {
    const authority = await Authority.open(folder);
    const checker = checkerOf(authority);
    const { request } = await makeRequest();
    const uri = { type: "url", value: `urn:uuid:${AGENT}` } as const;
    const name = { type: "dns", value: agentName(AGENT, authority.fleetId) } as const;
    const named = (...names: JsonGeneralNames): SubjectAlternativeNameExtension =>
      new SubjectAlternativeNameExtension(names);
    const san = named(uri, name);
    const client = new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]);
    const both = [ExtendedKeyUsage.clientAuth, ExtendedKeyUsage.serverAuth];
    const cases: readonly (readonly [string, readonly Extension[]])[] = [
      ["accepted", [san, client]],
      ["it is not for clients", [san]],
      ["it is not for clients", [san, new ExtendedKeyUsageExtension(both)]],
      ["it is not for clients", [
        san,
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      ]],
      ["it is an authority's", [san, client, new BasicConstraintsExtension(true)]],
      ["it names no agent", [client]],
      ["it names no agent", [client, named(uri)]],
      ["it names no agent", [client, named(name)]],
      ["it names no agent", [client, named(uri, name, name)]],
      ["it names no agent", [client, named(uri, name, { type: "ip", value: "10.0.0.1" })]],
      ["it names no agent", [client, named(uri, { type: "dns", value: AGENT })]],
      // Another agent's name, or another fleet's.
      ["it names no agent", [
        client,
        named({ type: "url", value: `urn:uuid:${AGENT.replace("0b", "ff")}` }, name),
      ]],
      ["it names no agent", [
        client,
        named(uri, { type: "dns", value: agentName(AGENT, crypto.randomUUID()) }),
      ]],
    ];
    for (const [expected, extensions] of cases) {
      const pem = await signWith(folder, { request, extensions });
      assertEquals(why(checker.check(der(pem), Date.now())), expected);
    }
  });
});

Deno.test("check() refuses bytes that are no certificate", async () => {
  await inFolder(async (folder) => {
    const authority = await Authority.open(folder);
    const checker = checkerOf(authority);
    const bytes = der(authority.certificatePem);
    assertEquals(why(checker.check(bytes.subarray(0, 40), Date.now())), "it cannot be read");
    assertEquals(why(checker.check(new Uint8Array(), Date.now())), "it cannot be read");
    const { request } = await makeRequest();
    const whole = der((await authority.sign(request, { agentId: AGENT })).pem);
    assertEquals(why(checker.check(whole, Date.now())), "accepted");
    for (const tail of [[0], [0x30, 0], [...whole]]) {
      const more = new Uint8Array([...whole, ...tail]);
      assertEquals(why(checker.check(more, Date.now())), "it cannot be read");
    }
  });
});
