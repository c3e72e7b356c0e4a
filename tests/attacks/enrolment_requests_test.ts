import { makeRequest, requestWith } from "../../hive/trust/_test_support.ts";
import { BasicConstraintsExtension, X509Certificate } from "../../hive/trust/x509.ts";
import { brokenSignature, requestOf } from "../support/requests.ts";
import { type Attack, told } from "./table.ts";
import { enrol, enrolmentTable, post, type Scene, solved } from "./_enrolment.ts";

const REQUESTS: readonly Attack<Scene>[] = [
  {
    tries: "a request that names another agent and asks for an authority's rights",
    refused: "own name, no authority",
    attempt: async (scene) => {
      const other = crypto.randomUUID();
      const { request } = await requestWith({
        name: `CN=${other}`,
        names: [{ type: "url", value: `urn:uuid:${other}` }, { type: "dns", value: "hive" }],
        extensions: [new BasicConstraintsExtension(true)],
      });
      const body = await solved(scene, { secret: (await scene.token()).secret, request });
      const { agentId, certificate } = await (await post(scene, body)).json();
      const read = new X509Certificate(certificate);
      const own = read.subject === `CN=${agentId}` && !read.toString("text").includes(other);
      const plain = read.getExtension(BasicConstraintsExtension)?.ca === false;
      return `${own ? "own" : "another"} name, ${plain ? "no" : "an"} authority`;
    },
  },
  ...([
    ["an RSA key of 1,024 bits", ["-newkey", "rsa:1024"]],
    ["an RSA key", ["-newkey", "rsa:2048"]],
    ["a key on another curve", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"]],
    ["an Ed25519 key", ["-newkey", "ed25519"]],
  ] as const).map(([what, args]): Attack<Scene> => ({
    tries: `a request for ${what}`,
    refused: "403 ENROLL_REFUSED",
    attempt: async (scene) => {
      const { secret } = await scene.token();
      return await enrol(scene, { secret, request: await requestOf(args) });
    },
  })),
  {
    tries: "a request that its key did not sign",
    refused: "403 ENROLL_REFUSED",
    attempt: async (scene) => {
      const { secret } = await scene.token();
      const request = brokenSignature((await makeRequest()).request);
      return await enrol(scene, { secret, request });
    },
  },
  {
    tries: "a certificate instead of a request",
    refused: "403 ENROLL_REFUSED",
    attempt: async (scene) => {
      const body = await solved(scene, { secret: (await scene.token()).secret });
      const request = scene.trust.authority.certificatePem;
      return await told(await post(scene, { ...body, request }));
    },
  },
];

enrolmentTable("requests", REQUESTS);
