import { TOKEN_LIFETIME_MS } from "../../hive/fleet/mod.ts";
import { hashSecret } from "../../hive/operators/secret.ts";
import type { Attack } from "./table.ts";
import { enrol, enrolmentTable, outcome, post, type Scene, solved } from "./_enrolment.ts";

const TOKENS: readonly Attack<Scene>[] = [
  {
    tries: "a token that nobody made",
    refused: "403 TOKEN_INVALID",
    attempt: (scene) => enrol(scene, { secret: "A".repeat(43) }),
  },
  {
    tries: "a token a second time",
    refused: "403 TOKEN_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token();
      await enrol(scene, { secret });
      return await enrol(scene, { secret });
    },
  },
  {
    tries: "a token twice at the same instant",
    refused: "1 of 2, else 403 TOKEN_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token();
      const [one, two] = [await solved(scene, { secret }), await solved(scene, { secret })];
      return await outcome(await Promise.all([post(scene, one), post(scene, two)]));
    },
  },
  {
    tries: "a token of three uses eight times at the same instant",
    refused: "3 of 8, else 403 TOKEN_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token({ uses: 3 });
      const bodies = await Promise.all(
        Array.from({ length: 8 }, () => solved(scene, { secret })),
      );
      return await outcome(await Promise.all(bodies.map((body) => post(scene, body))));
    },
  },
  {
    tries: "a token that has expired",
    refused: "403 TOKEN_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token();
      scene.clock.advance(TOKEN_LIFETIME_MS + 1);
      return await enrol(scene, { secret });
    },
  },
  {
    tries: "a token that was withdrawn",
    refused: "403 TOKEN_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token({ uses: 9 });
      await scene.store.removeToken(hashSecret(secret));
      return await enrol(scene, { secret });
    },
  },
  {
    tries: "a token for another host",
    refused: "403 TOKEN_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token({ hostId: "0e".repeat(32) });
      return await enrol(scene, { secret });
    },
  },
  {
    tries: "a token for a host of another name",
    refused: "403 TOKEN_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token({ hostName: "gpu-2" });
      return await enrol(scene, { secret });
    },
  },
  {
    tries: "the hash of a token that the store keeps, instead of its secret",
    refused: "403 TOKEN_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token();
      const hash = Uint8Array.fromHex(hashSecret(secret));
      return await enrol(scene, {
        secret: hash.toBase64({ alphabet: "base64url", omitPadding: true }),
      });
    },
  },
  {
    tries: "a token that asks for an operator, without one",
    refused: "202 without a code",
    attempt: async (scene) => {
      const { secret } = await scene.token({ approval: true });
      return await enrol(scene, { secret });
    },
  },
];

enrolmentTable("tokens", TOKENS);
