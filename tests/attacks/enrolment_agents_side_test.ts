import { EnrolmentClient } from "../../agent/enrol/enrolment_client.ts";
import { DIFFICULTY_MAX, solveChallenge } from "../../common/keys/proof_of_work.ts";
import { decodeToken, encodeToken } from "../../common/link/mod.ts";
import { challengeSchema, ROUTES } from "../../common/link/protocol.ts";
import { type Attack, thrownBy } from "./table.ts";
import { enrolmentTable, onEnrollingHive, type Scene } from "./_enrolment.ts";

const AGENTS_SIDE: readonly Attack<Scene>[] = [
  {
    tries: "another hive at the token's address",
    refused: "PIN_MISMATCH",
    attempt: async (scene) => {
      let seen = "";
      await onEnrollingHive(async (impostor) => {
        const { certificatePem } = scene.trust.server;
        using client = new EnrolmentClient(`127.0.0.1:${impostor.listener.port}`, {
          pins: [certificatePem],
        });
        seen = await thrownBy(() => client.ask(ROUTES.challenge, {}));
      });
      return seen;
    },
  },
  {
    tries: "a hive that asks for endless work",
    refused: "RangeError",
    attempt: () => thrownBy(() => solveChallenge(new Uint8Array(57), DIFFICULTY_MAX + 1)),
  },
  {
    tries: "a hive that says in its form how endless the work is",
    refused: "ZodError",
    attempt: () =>
      thrownBy(() =>
        challengeSchema.parse({ challenge: "A", difficulty: DIFFICULTY_MAX + 1, expiresMs: 1 })
      ),
  },
  {
    tries: "a token whose address leads elsewhere",
    refused: "TOKEN_INVALID",
    attempt: async (scene) => {
      const token = await scene.token();
      return await thrownBy(() =>
        decodeToken(encodeToken({ ...token, enroll: "hive@evil.example/:443" }))
      );
    },
  },
];

enrolmentTable("agents side", AGENTS_SIDE);
