import { assert, assertEquals, assertMatch } from "@std/assert";
import { inFolder, makeRequest, signWith } from "./_test_support.ts";
import { Authority } from "./authority.ts";
import { agentName, fleetDomain } from "./fleet_id.ts";
import { constraintOf, nameConstraints } from "./name_constraints.ts";
import {
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralNames,
  SubjectAlternativeNameExtension,
  X509Certificate,
} from "./x509.ts";

const AGENT = "0b0c0d0e-1234-4abc-8def-001122334455";
const FLEET = "11111111-2222-4333-8444-555555555555";

/** What openssl says of a certificate for clients, with one authority that it trusts. */
async function openssl(folder: string, pem: string): Promise<string> {
  Deno.writeTextFileSync(`${folder}/client.pem`, pem);
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [
      ...["verify", "-x509_strict", "-purpose", "sslclient"],
      ...["-CAfile", `${folder}/ca.pem`, `${folder}/client.pem`],
    ],
  }).output();
  return success ? "OK" : /^error \d+ .*: (.+)$/m.exec(new TextDecoder().decode(stderr))?.[1] ?? "";
}

Deno.test("an authority can name its fleet's hosts alone: openssl refuses all others", async () => {
  await inFolder(async (folder) => {
    const authority = await Authority.open(folder);
    const { request } = await makeRequest();
    const { pem } = await authority.sign(request, { agentId: AGENT });
    assertEquals(await openssl(folder, pem), "OK");
    const client = new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]);
    const uri = { type: "url", value: `urn:uuid:${AGENT}` } as const;
    const name = { type: "dns", value: agentName(AGENT, authority.fleetId) } as const;
    const cases: readonly (readonly [JsonGeneralNames, RegExp])[] = [
      [[uri, { type: "dns", value: "hive.example" }], /permitted subtree violation/],
      [[uri, { type: "dns", value: agentName(AGENT, FLEET) }], /permitted subtree violation/],
      [[uri, name, { type: "ip", value: "10.1.2.3" }], /excluded subtree violation/],
      [[uri, name, { type: "ip", value: "2001:db8::1" }], /excluded subtree violation/],
      [[uri, name, { type: "email", value: "a@hive.example" }], /permitted subtree violation/],
    ];
    for (const [names, why] of cases) {
      const extensions = [client, new SubjectAlternativeNameExtension([...names])];
      assertMatch(await openssl(folder, await signWith(folder, { request, extensions })), why);
    }
  });
});

Deno.test("an authority can sign neither servers nor other authorities", async () => {
  await inFolder(async (folder) => {
    const { fleetId } = await Authority.open(folder);
    const { request } = await makeRequest();
    const names = new SubjectAlternativeNameExtension([
      { type: "dns", value: agentName(AGENT, fleetId) },
    ]);
    const server = new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]);
    const pem = await signWith(folder, { request, extensions: [names, server] });
    assertMatch(await openssl(folder, pem), /(unsuitable|unsupported) certificate purpose/);
  });
});

Deno.test("constraintOf() tells an authority of the fleet from a wider and a foreign one", async () => {
  await inFolder(async (folder) => {
    const { certificatePem, fleetId } = await Authority.open(folder);
    const own = new X509Certificate(certificatePem);
    assertEquals(constraintOf(own, fleetId), "fleet");
    assertEquals(constraintOf(own, FLEET), "foreign");
    const constraints = `nameConstraints=critical,permitted;DNS:`;
    const of = async (extension: string): Promise<string> => {
      const { stdout } = await new Deno.Command("openssl", {
        args: [
          ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
          ...["-keyout", "/dev/null", "-subj", "/CN=outside", "-addext", extension],
        ],
        stderr: "null",
      }).output();
      return constraintOf(new X509Certificate(new TextDecoder().decode(stdout)), fleetId);
    };
    assertEquals(await of("keyUsage=keyCertSign"), "wider");
    assertEquals(await of(`${constraints}${fleetDomain(fleetId)}`), "fleet");
    assertEquals(await of(`${constraints}invalid`), "wider");
    assertEquals(await of(`${constraints}hive.example`), "foreign");
    assertEquals(await of("nameConstraints=critical,excluded;DNS:invalid"), "foreign");
    assertEquals(await of("nameConstraints=critical,excluded;DNS:hive.example"), "wider");
  });
});

Deno.test("nameConstraints() is critical, and the same bytes for the same fleet", () => {
  const extension = nameConstraints(FLEET);
  assert(extension.critical);
  assertEquals(
    new Uint8Array(extension.value).toHex(),
    new Uint8Array(nameConstraints(FLEET).value).toHex(),
  );
});
