import { ENROLL_BYTES_MAX, ROUTES } from "../../common/link/protocol.ts";
import { type Attack, told } from "./table.ts";
import { enrol, enrolmentTable, post, type Scene, solved } from "./_enrolment.ts";

const WIRE: readonly Attack<Scene>[] = [
  {
    tries: "a body over the bound",
    refused: "400 INPUT_MALFORMED",
    attempt: async (scene) => await told(await post(scene, " ".repeat(ENROLL_BYTES_MAX + 1))),
  },
  {
    tries: "a member that is not asked for",
    refused: "400 INPUT_MALFORMED",
    attempt: async (scene) => {
      const body = await solved(scene, { secret: (await scene.token()).secret });
      return await told(await post(scene, { ...body, agentId: crypto.randomUUID() }));
    },
  },
  {
    tries: "a host name with a terminal's control characters",
    refused: "400 INPUT_MALFORMED",
    attempt: async (scene) =>
      await enrol(scene, { secret: (await scene.token()).secret, hostName: "a\u001b[2Jb" }),
  },
  {
    tries: "JSON that would change prototypes",
    refused: "400 INPUT_MALFORMED",
    attempt: async (scene) =>
      await told(await post(scene, '{"__proto__":{"secret":"x"},"constructor":{}}')),
  },
  ...["/v1/batches", "/api/v1/status", "/v1/enroll/../../ca.key", "/v1/renew"].map((
    path,
  ): Attack<Scene> => ({
    tries: `the path ${path}`,
    refused: "404 NOT_FOUND",
    attempt: async (scene) => await told(await post(scene, {}, { path })),
  })),
  {
    tries: "a ticket that is guessed",
    refused: "404 NOT_FOUND",
    attempt: async (scene) => {
      await enrol(scene, { secret: (await scene.token({ approval: true })).secret });
      return await told(await post(scene, { ticket: "A".repeat(43) }, { path: ROUTES.ticket }));
    },
  },
  {
    tries: "the ticket of an enrolment that was denied",
    refused: "403 ENROLL_REFUSED",
    attempt: async (scene) => {
      const { secret } = await scene.token({ approval: true });
      const { ticket } = await (await post(scene, await solved(scene, { secret }))).json();
      const [waiting] = await scene.pending.list();
      await scene.pending.decide(waiting?.agentId ?? "", false);
      return await told(await post(scene, { ticket }, { path: ROUTES.ticket }));
    },
  },
];

enrolmentTable("wire", WIRE);
