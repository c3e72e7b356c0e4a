import { agentName } from "../../hive/trust/fleet_id.ts";
import { Authority, DAY_MS } from "../../hive/trust/mod.ts";
import { inFolder, makeRequest, signWith } from "../../hive/trust/_test_support.ts";
import { FakeClock } from "../../common/config/mod.ts";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
} from "../../hive/trust/x509.ts";
import type { Attack } from "./table.ts";
import { forged, named, NOT_ACCEPTED, post, type Scene, transportTable } from "./_transport.ts";

const CLIENTS = new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]);
const SERVERS = new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]);
const BOTH = new ExtendedKeyUsageExtension([
  ExtendedKeyUsage.clientAuth,
  ExtendedKeyUsage.serverAuth,
]);

const CERTIFICATES: readonly Attack<Scene>[] = [
  {
    tries: "no certificate",
    refused: "no answer, no_certificate",
    attempt: (scene) => post(scene, undefined),
  },
  {
    tries: "a certificate of its own making",
    refused: "no answer, bad_certificate",
    attempt: ({ hive, ...scene }) => post({ hive, ...scene }, hive.server),
  },
  {
    tries: "a certificate of another hive's authority",
    refused: "no answer, bad_certificate",
    attempt: async (scene) => {
      let seen = "";
      await inFolder(async (folder) => {
        const { keyPem, request } = await makeRequest();
        const foreign = await Authority.open(folder);
        const { pem } = await foreign.sign(request, { agentId: scene.agent.id });
        seen = await post(scene, { keyPem, certificatePem: pem });
      });
      return seen;
    },
  },
  {
    tries: "a certificate of an authority that calls itself the same, fleet and all",
    refused: "no answer, bad_certificate",
    attempt: async (scene) => {
      let seen = "";
      await inFolder(async (folder) => {
        Deno.copyFileSync(`${scene.hive.folder}/fleet`, `${folder}/fleet`);
        const { keyPem, request } = await makeRequest();
        const foreign = await Authority.open(folder);
        const { pem } = await foreign.sign(request, { agentId: scene.agent.id });
        seen = await post(scene, { keyPem, certificatePem: pem });
      });
      return seen;
    },
  },
  {
    tries: "a certificate that an agent signed with its own key",
    refused: "no answer, bad_certificate",
    attempt: async (scene) => {
      let seen = "";
      await inFolder(async (folder) => {
        const { hive, agent } = scene;
        Deno.writeTextFileSync(`${folder}/ca.pem`, agent.certificatePem);
        Deno.writeTextFileSync(`${folder}/ca.key`, agent.keyPem);
        const { keyPem, request } = await makeRequest();
        const name = agentName(agent.id, hive.authority.fleetId);
        const san = named({ type: "url", value: `urn:uuid:${agent.id}` }, {
          type: "dns",
          value: name,
        });
        const pem = await signWith(folder, { request, extensions: [san, CLIENTS] });
        seen = await post(scene, { keyPem, certificatePem: `${pem}\n${agent.certificatePem}` });
      });
      return seen;
    },
  },
  {
    tries: "a certificate that has run out",
    refused: "no answer, bad_certificate",
    attempt: (scene) => signedAt(scene, { at: -3 * DAY_MS, days: 1 }),
  },
  {
    tries: "a certificate that does not hold yet",
    refused: "no answer, bad_certificate",
    attempt: (scene) => signedAt(scene, { at: 2 * DAY_MS, days: 1 }),
  },
  {
    tries: "a certificate for servers",
    refused: "no answer, bad_certificate",
    attempt: async (scene) =>
      await post(
        scene,
        await forged(scene, ({ uri, name }) => [
          named({ type: "url", value: uri }, { type: "dns", value: name }),
          SERVERS,
        ]),
      ),
  },
  {
    tries: "a certificate for clients and servers",
    refused: "no answer, bad_certificate",
    attempt: async (scene) =>
      await post(
        scene,
        await forged(scene, ({ uri, name }) => [
          named({ type: "url", value: uri }, { type: "dns", value: name }),
          BOTH,
        ]),
      ),
  },
  {
    tries: "a certificate that names no usage",
    refused: "no answer, bad_certificate",
    attempt: async (scene) =>
      await post(
        scene,
        await forged(scene, ({ uri, name }) => [
          named({ type: "url", value: uri }, { type: "dns", value: name }),
        ]),
      ),
  },
  {
    tries: "a certificate with an authority's right",
    refused: "no answer, bad_certificate",
    attempt: async (scene) =>
      await post(
        scene,
        await forged(scene, ({ uri, name }) => [
          named({ type: "url", value: uri }, { type: "dns", value: name }),
          CLIENTS,
          new BasicConstraintsExtension(true),
        ]),
      ),
  },
  {
    tries: "a certificate without the fleet's name",
    refused: "no answer, bad_certificate",
    attempt: async (scene) =>
      await post(
        scene,
        await forged(scene, ({ uri }) => [named({ type: "url", value: uri }), CLIENTS]),
      ),
  },
  {
    tries: "a certificate for another fleet",
    refused: "no answer, bad_certificate",
    attempt: async (scene) =>
      await post(
        scene,
        await forged(scene, ({ uri }) => [
          named({ type: "url", value: uri }, {
            type: "dns",
            value: agentName(scene.agent.id, crypto.randomUUID()),
          }),
          CLIENTS,
        ]),
      ),
  },
  {
    tries: "a certificate with one agent's id and another's name",
    refused: "no answer, bad_certificate",
    attempt: async (scene) =>
      await post(
        scene,
        await forged(scene, ({ name }) => [
          named({ type: "url", value: `urn:uuid:${scene.other.id}` }, { type: "dns", value: name }),
          CLIENTS,
        ]),
      ),
  },
  {
    tries: "a certificate that names an address besides",
    refused: "no answer, bad_certificate",
    attempt: async (scene) =>
      await post(
        scene,
        await forged(scene, ({ uri, name }) => [
          named({ type: "url", value: uri }, { type: "dns", value: name }, {
            type: "ip",
            value: "127.0.0.1",
          }),
          CLIENTS,
        ]),
      ),
  },
  {
    tries: "a good certificate that is in no row",
    refused: NOT_ACCEPTED,
    attempt: async (scene) => {
      const { keyPem, request } = await makeRequest();
      const { pem } = await scene.hive.authority.sign(request, { agentId: scene.agent.id });
      return await post(scene, { keyPem, certificatePem: pem });
    },
  },
];

async function signedAt(
  scene: Scene,
  { at, days }: { readonly at: number; readonly days: number },
): Promise<string> {
  const { keyPem, request } = await makeRequest();
  const clock = new FakeClock(Date.now() + at);
  const then = await Authority.open(scene.hive.folder, { clock });
  const { pem } = await then.sign(request, { agentId: scene.agent.id, days });
  return await post(scene, { keyPem, certificatePem: pem });
}

transportTable("certificates", CERTIFICATES);
