import { SYSTEM_CLOCK } from "../../../common/config/clock.ts";
import { ROUTES } from "../../../common/link/protocol.ts";
import { EASY_BITS, solvedRequest } from "../../../hive/fleet/_test_support.ts";
import { Challenges } from "../../../hive/fleet/challenges.ts";
import { createEnrolment } from "../../../hive/fleet/enrolment.ts";
import { hashSecret } from "../../../hive/operators/secret.ts";
import { makeRequest } from "../../../hive/trust/_test_support.ts";
import { Authority } from "../../../hive/trust/authority.ts";
import { requestedKeyHash } from "../../../hive/trust/requested_key.ts";
import { type FuzzTarget, plainSubject, serverFault } from "../target.ts";

const UTF8 = new TextEncoder();
const SECRET = "A".repeat(43);

/** Bodies of all routes of the enrolment port, which take turns. */
export const target: FuzzTarget = {
  open: async () => {
    const folder = await Deno.makeTempDir();
    const authority = await Authority.open(folder);
    await Deno.remove(folder, { recursive: true });
    const { app } = createEnrolment({
      authority,
      challenges: new Challenges({ clock: SYSTEM_CLOCK, difficultyMin: EASY_BITS }),
      pending: {
        add: () => Promise.resolve(SECRET),
        answer: () => Promise.resolve({ state: "pending" }),
      },
      store: {
        useToken: () => Promise.resolve({ tags: [], approval: false }),
        addAgent: () => Promise.resolve(),
      },
    });
    const { request } = await makeRequest();
    const enrolling = { secret: SECRET, request, hostId: "0d".repeat(32), hostName: "gpu-1" };
    const seeds = [
      await solvedRequest(app, enrolling),
      { tokenHash: hashSecret(SECRET), keyHash: requestedKeyHash(request) },
      { ticket: SECRET },
    ].map((body) => UTF8.encode(JSON.stringify(body)));
    const routes = [ROUTES.enroll, ROUTES.challenge, ROUTES.ticket];
    let turn = 0;
    return plainSubject(seeds, async (body) => {
      const route = routes[turn++ % routes.length] ?? ROUTES.enroll;
      return await serverFault(await app.request(route, { method: "POST", body }));
    });
  },
};
