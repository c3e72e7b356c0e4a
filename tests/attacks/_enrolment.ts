import { FakeClock } from "../../common/config/mod.ts";
import { decodeToken } from "../../common/link/mod.ts";
import { type EnrollmentToken, ROUTES } from "../../common/link/protocol.ts";
import { EASY_BITS, type Enrolling, solvedRequest } from "../../hive/fleet/_test_support.ts";
import {
  Challenges,
  createEnrolment,
  type EnrolmentListener,
  makeToken,
  PendingEnrolments,
  serveEnrolment,
  type TokenOptions,
  TrustKeeper,
} from "../../hive/fleet/mod.ts";
import { SqliteStore } from "../../hive/store/mod.ts";
import { inFolder, makeRequest } from "../../hive/trust/_test_support.ts";
import { type Attack, attackTable, told } from "./table.ts";

/** The host that enrols. */
export const HOST = { hostId: "0d".repeat(32), hostName: "gpu-1" };

/** A hive that enrols, over real TLS, with its clock in hand. */
export interface Scene {
  readonly clock: FakeClock;
  readonly store: SqliteStore;
  readonly trust: TrustKeeper;
  readonly pending: PendingEnrolments;
  readonly listener: EnrolmentListener;
  token(options?: Partial<TokenOptions>): Promise<EnrollmentToken>;
  request(path: string, init: RequestInit): Promise<Response>;
}

/** Runs something on a hive that enrols, which goes afterwards. */
export async function onEnrollingHive(attack: (scene: Scene) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const clock = new FakeClock(Date.now());
    using trust = await TrustKeeper.open(folder, { clock });
    const store = new SqliteStore(`${folder}/store.db`, { clock });
    const { authority, server } = trust;
    const pending = new PendingEnrolments({ store, authority, clock });
    const challenges = new Challenges({ clock, difficultyMin: EASY_BITS });
    const { app } = createEnrolment({ store, authority, pending, challenges, clock });
    const listener = serveEnrolment((request) => app.fetch(request), {
      hostname: "127.0.0.1",
      port: 0,
      certificatePem: server.certificatePem,
      keyPem: server.keyPem,
    });
    using client = Deno.createHttpClient({ caCerts: [server.certificatePem] });
    const address = `127.0.0.1:${listener.port}`;
    await attack({
      clock,
      store,
      trust,
      pending,
      listener,
      token: async (options = {}) => {
        const places = { enroll: address, agents: "hive:9998", pins: server.pins };
        return decodeToken((await makeToken(store, { ...places, clock, ...options })).text);
      },
      request: async (path, init) => {
        const answer = await fetch(`https://${address}${path}`, { ...init, client });
        return new Response(await answer.text(), { status: answer.status });
      },
    });
    await listener.stop();
    await store.close();
  });
}

/** Posts to the enrolment port; to another route than that of enrolment when told. */
export function post(
  scene: Scene,
  body: unknown,
  options: { readonly path?: string } = {},
): Promise<Response> {
  const { path = ROUTES.enroll } = options;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return scene.request(path, { method: "POST", body: text });
}

/** A request with a key of its own, and its work done. */
export async function solved(
  scene: Scene,
  asked: Partial<Enrolling> & { readonly secret: string },
): Promise<Awaited<ReturnType<typeof solvedRequest>>> {
  const { request } = await makeRequest();
  return await solvedRequest(scene, { request, ...HOST, ...asked });
}

/** Enrols; gives what is answered. */
export async function enrol(
  scene: Scene,
  asked: Partial<Enrolling> & { readonly secret: string },
): Promise<string> {
  return await told(await post(scene, await solved(scene, asked)));
}

/** How many of some answers were good, and what the others said. */
export async function outcome(answers: readonly Response[]): Promise<string> {
  const all = await Promise.all(answers.map(told));
  const good = all.filter((each) => each.startsWith("200")).length;
  return `${good} of ${all.length}, else ${
    [...new Set(all.slice().sort().slice(good))].join(", ")
  }`;
}

/**
 * A table of attacks on enrolment. Each row has a hive of its own.
 *
 * @param subject What of it is attacked.
 * @param rows The rows.
 */
export function enrolmentTable(subject: string, rows: readonly Attack<Scene>[]): void {
  attackTable<Scene>({ subject: `enrolment, ${subject}`, against: onEnrollingHive }, rows);
}
