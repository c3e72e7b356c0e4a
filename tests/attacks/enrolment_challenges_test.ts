import { EASY_BITS, solutionOf, solvedRequest } from "../../hive/fleet/_test_support.ts";
import { CHALLENGE_MS } from "../../hive/fleet/mod.ts";
import { makeRequest } from "../../hive/trust/_test_support.ts";
import { type Attack, told } from "./table.ts";
import {
  enrolmentTable,
  onEnrollingHive,
  outcome,
  post,
  type Scene,
  solved,
} from "./_enrolment.ts";

const CHALLENGES: readonly Attack<Scene>[] = [
  {
    tries: "a solved challenge a second time",
    refused: "403 CHALLENGE_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token({ uses: 2 });
      const body = await solved(scene, { secret });
      await post(scene, body);
      return await told(await post(scene, body));
    },
  },
  {
    tries: "a solved challenge twice at the same instant",
    refused: "1 of 2, else 403 CHALLENGE_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token({ uses: 2 });
      const body = await solved(scene, { secret });
      return await outcome(await Promise.all([post(scene, body), post(scene, body)]));
    },
  },
  {
    tries: "a challenge that was solved for another key",
    refused: "403 CHALLENGE_INVALID",
    attempt: async (scene) => {
      const { secret } = await scene.token();
      const { request } = await makeRequest();
      return await told(await post(scene, { ...await solved(scene, { secret }), request }));
    },
  },
  {
    tries: "a challenge that was solved for another token",
    refused: "403 CHALLENGE_INVALID",
    attempt: async (scene) => {
      const [one, two] = [await scene.token(), await scene.token()];
      const body = await solved(scene, { secret: one.secret });
      return await told(await post(scene, { ...body, secret: two.secret }));
    },
  },
  {
    tries: "a challenge that has expired",
    refused: "403 CHALLENGE_INVALID",
    attempt: async (scene) => {
      const body = await solved(scene, { secret: (await scene.token()).secret });
      scene.clock.advance(CHALLENGE_MS);
      return await told(await post(scene, body));
    },
  },
  {
    tries: "a challenge that is not solved",
    refused: "403 CHALLENGE_INVALID",
    attempt: async (scene) => {
      const body = await solved(scene, { secret: (await scene.token()).secret });
      const wrong = Array.from({ length: 64 }, (_, i) => i)
        .map((i) => {
          const bytes = Uint8Array.from([255, i, 0, 0, 0, 0, 0, 0]);
          return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
        });
      // One in 16 would hold by chance.
      const answers = [];
      for (const solution of wrong.slice(0, 3)) {
        answers.push(await told(await post(scene, { ...body, solution })));
      }
      return answers.find((each) => each !== "200 without a code") ?? "enrolled";
    },
  },
  {
    tries: "a challenge made easier",
    refused: "403 CHALLENGE_INVALID",
    attempt: (scene) => tampered(scene, (bytes) => bytes[0] = 0),
  },
  {
    tries: "a challenge made to last longer",
    refused: "403 CHALLENGE_INVALID",
    attempt: (scene) => tampered(scene, (bytes) => bytes[1] = 1),
  },
  {
    tries: "a challenge with another nonce",
    refused: "403 CHALLENGE_INVALID",
    attempt: (scene) => tampered(scene, (bytes) => bytes[9] = (bytes[9] ?? 0) ^ 1),
  },
  {
    tries: "a challenge of another hive",
    refused: "403 CHALLENGE_INVALID",
    attempt: async (scene) => {
      const body = await solved(scene, { secret: (await scene.token()).secret });
      let seen = "";
      await onEnrollingHive(async (other) => {
        const { challenge, solution } = await solvedRequest(other, body);
        seen = await told(await post(scene, { ...body, challenge, solution }));
      });
      return seen;
    },
  },
  {
    tries: "no challenge",
    refused: "400 INPUT_MALFORMED",
    attempt: async (scene) => {
      const { challenge: _, solution: __, ...rest } = await solved(scene, {
        secret: (await scene.token()).secret,
      });
      return await told(await post(scene, rest));
    },
  },
];

/** A challenge that was changed and solved. */
async function tampered(scene: Scene, change: (bytes: Uint8Array) => void): Promise<string> {
  const body = await solved(scene, { secret: (await scene.token()).secret });
  const bytes = Uint8Array.fromBase64(body.challenge, { alphabet: "base64url" });
  change(bytes);
  const challenge = bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  return await told(
    await post(scene, { ...body, challenge, solution: solutionOf(challenge, EASY_BITS) }),
  );
}

enrolmentTable("challenges", CHALLENGES);
