import { brokenSignature, requestOf } from "../support/requests.ts";
import { RENEW_BYTES_MAX } from "../../common/link/protocol.ts";
import { fingerprint } from "../../hive/trust/mod.ts";
import { makeRequest, requestWith } from "../../hive/trust/_test_support.ts";
import { PemConverter, X509Certificate } from "../../hive/trust/x509.ts";
import { type Attack, told } from "./table.ts";
import {
  NOT_ACCEPTED,
  renew,
  renewed,
  type Scene,
  toldOrCut,
  transportTable,
} from "./_transport.ts";

const RENEWAL: readonly Attack<Scene>[] = [
  {
    tries: "a renewal whose request names another agent: the names are the hive's",
    refused: "own name",
    attempt: async (scene) => {
      const { agent, other, hive } = scene;
      const { request } = await requestWith({
        name: `CN=${other.id}`,
        names: [{ type: "url", value: `urn:uuid:${other.id}` }],
      });
      const { certificate } = await (await renew(scene, { by: agent, body: { request } })).json();
      const read = new X509Certificate(certificate);
      const der = new Uint8Array(PemConverter.decodeFirst(certificate));
      const row = await hive.store.certificate(fingerprint(der));
      const own = read.subject === `CN=${agent.id}` && row?.agentId === agent.id;
      return own && !read.toString("text").includes(other.id) ? "own name" : "another's name";
    },
  },
  {
    tries: "a renewal that says whose it is to be",
    refused: "400 INPUT_MALFORMED",
    attempt: async (scene) => {
      const { request } = await makeRequest();
      const body = { request, agentId: scene.other.id };
      return await told(await renew(scene, { by: scene.agent, body }));
    },
  },
  {
    tries: "a renewal by a revoked agent",
    refused: NOT_ACCEPTED,
    attempt: async (scene) => {
      await scene.hive.store.revokeAgent(scene.agent.id);
      const { request } = await makeRequest();
      const ask = (): Promise<Response> => renew(scene, { by: scene.agent, body: { request } });
      return await toldOrCut(scene.hive, ask);
    },
  },
  {
    tries: "a renewal with a weak key",
    refused: "403 ENROLL_REFUSED",
    attempt: async (scene) => {
      const request = await requestOf(["-newkey", "rsa:1024"]);
      return await told(await renew(scene, { by: scene.agent, body: { request } }));
    },
  },
  {
    tries: "a renewal for a key that did not sign the request",
    refused: "403 ENROLL_REFUSED",
    attempt: async (scene) => {
      const request = brokenSignature((await makeRequest()).request);
      return await told(await renew(scene, { by: scene.agent, body: { request } }));
    },
  },
  {
    tries: "one renewal behind the other",
    refused: "429 RATE_LIMITED",
    attempt: async (scene) => {
      await renewed(scene);
      const { request } = await makeRequest();
      return await told(await renew(scene, { by: scene.agent, body: { request } }));
    },
  },
  {
    tries: "a renewal over the bound",
    refused: "400 INPUT_MALFORMED",
    attempt: async (scene) =>
      await told(await renew(scene, { by: scene.agent, body: " ".repeat(RENEW_BYTES_MAX + 1) })),
  },
];

transportTable("renewal", RENEWAL);
