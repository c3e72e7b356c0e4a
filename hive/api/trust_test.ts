import { assert, assertEquals } from "@std/assert";
import { FakeClock } from "../../common/config/mod.ts";
import { PendingEnrolments, TrustKeeper } from "../fleet/mod.ts";
import { makeRequest } from "../trust/_test_support.ts";
import { DAY_MS } from "../trust/dates.ts";
import { AGENT_ID, HOST_ID, openTestHive, type TestHive } from "./_test_support.ts";

interface Scene {
  readonly hive: TestHive;
  readonly clock: FakeClock;
  readonly trust: TrustKeeper;
  readonly pending: PendingEnrolments;
  ask(path: string, body?: unknown, method?: string): Promise<[number, Answer]>;
}

// deno-lint-ignore no-explicit-any -- what a test looks into
type Answer = any;

async function withHive(test: (scene: Scene) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const clock = new FakeClock(Date.UTC(2031, 4, 6));
  using trust = await TrustKeeper.open(folder, { clock });
  // The store of the hive comes later than what is to write into it.
  const parts: { store?: TestHive["store"] } = {};
  const store = new Proxy({} as TestHive["store"], {
    get: (_, name: keyof TestHive["store"]) => {
      const method = parts.store?.[name] as (...args: unknown[]) => unknown;
      return method.bind(parts.store);
    },
  });
  const pending = new PendingEnrolments({ store, authority: trust.authority, clock });
  await using hive = await openTestHive({ trust, pending });
  parts.store = hive.store;
  const ask: Scene["ask"] = async (path, body, method) => {
    const response = await hive.api.request(path, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: { authorization: `Bearer ${hive.token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await response.json();
    return [response.status, answer.error?.code ?? answer];
  };
  await test({ hive, clock, trust, pending, ask });
  await Deno.remove(folder, { recursive: true });
}

function actions({ audit }: TestHive): readonly string[] {
  return audit.read({ limit: 50 }).entries.map(({ action, decision }) => `${action} ${decision}`);
}

Deno.test("GET /ca says what counts, and no key", async () => {
  await withHive(async ({ trust, ask }) => {
    const [status, ca] = await ask("/api/v1/ca");
    assertEquals([status, ca.fleetId], [200, trust.authority.fleetId]);
    assertEquals(ca.server.fingerprint, trust.server.fingerprint);
    assertEquals(ca.authorities.map((each: Answer) => [each.acceptedUntil, each.constraint]), [
      [null, "fleet"],
    ]);
    assertEquals(JSON.stringify(ca).includes("PRIVATE"), false);
  });
});

Deno.test("POST /ca/rotate rotates what it is told to, and says when it is too early", async () => {
  await withHive(async ({ hive, clock, ask }) => {
    const rotate = (body: unknown): Promise<[number, Answer]> => ask("/api/v1/ca/rotate", body);
    const [, before] = await ask("/api/v1/ca");
    assertEquals(await rotate({ what: "server" }), [409, "ROTATION_TOO_EARLY"]);
    clock.advance(DAY_MS);
    const [, server] = await rotate({ what: "server" });
    assertEquals(server.server, before.successor);
    const [, authority] = await rotate({ what: "authority", overlapDays: 1 });
    assertEquals(authority.authorities.length, 2);
    assertEquals(await rotate({ what: "authority" }), [409, "ROTATION_TOO_EARLY"]);
    assertEquals((await rotate({ what: "authority", overlapDays: 0 }))[1].authorities.length, 1);
    for (const bad of [{}, { what: "all" }, { what: "server", more: 1 }]) {
      assertEquals(await rotate(bad), [400, "INPUT_MALFORMED"]);
    }
    assert(actions(hive).includes("server.rotate allowed"));
    assert(actions(hive).includes("authority.rotate failed"));
  });
});

Deno.test("POST /ca/certificates gives an agent its certificate by hand", async () => {
  await withHive(async ({ hive, ask }) => {
    const { request } = await makeRequest();
    const asked = { request, hostId: "0e".repeat(32), hostName: "gpu-9", tags: ["lab"], days: 5 };
    const [status, issued] = await ask("/api/v1/ca/certificates", asked);
    assertEquals(status, 200);
    const row = await hive.store.certificate(issued.fingerprint);
    assertEquals([row?.agentId, row?.hostId], [issued.agentId, asked.hostId]);
    const bad = { ...asked, request: "none" };
    assertEquals(await ask("/api/v1/ca/certificates", bad), [403, "ENROLL_REFUSED"]);
  });
});

Deno.test("POST /agents/revoke revokes, records, and says whom it does not know", async () => {
  await withHive(async ({ hive, ask }) => {
    const nobody = crypto.randomUUID();
    const revoke = (agents: unknown): Promise<[number, Answer]> =>
      ask("/api/v1/agents/revoke", { agents });
    assertEquals(await revoke([AGENT_ID, nobody]), [200, {
      revoked: [AGENT_ID],
      unknown: [nobody],
    }]);
    assertEquals((await hive.store.agents()).map(({ revoked }) => revoked), [true]);
    assertEquals(actions(hive).slice(0, 2), ["agent.revoke allowed", "agent.revoke allowed"]);
    for (const bad of [[], ["nobody"], Array(257).fill(nobody)]) {
      assertEquals(await revoke(bad), [400, "INPUT_MALFORMED"]);
    }
  });
});

Deno.test("POST /enrolments/{id} decides once; the ticket then tells", async () => {
  await withHive(async ({ hive, pending, ask }) => {
    const wait = async (hostName: string): Promise<string> => {
      const { request } = await makeRequest();
      const keyHash = "0c".repeat(32);
      return await pending.add({ hostId: HOST_ID, hostName, keyHash, request, tags: ["new"] });
    };
    const [yes, no] = [await wait("yes"), await wait("no")];
    const [, { enrolments }] = await ask("/api/v1/enrolments");
    const idOf = (name: string): string =>
      enrolments.find((each: Answer) => each.hostName === name).id;
    const decide = (id: string, approve: boolean): Promise<[number, Answer]> =>
      ask(`/api/v1/enrolments/${id}`, { approve });
    assertEquals((await pending.answer(yes))?.state, "pending");
    assertEquals(await decide(idOf("yes"), true), [200, { id: idOf("yes"), state: "approved" }]);
    assertEquals(await decide(idOf("no"), false), [200, { id: idOf("no"), state: "denied" }]);
    assertEquals(await decide(idOf("no"), true), [404, "NOT_FOUND"]);
    assertEquals(await decide(idOf("yes"), false), [404, "NOT_FOUND"]);
    const [approved, denied] = [await pending.answer(yes), await pending.answer(no)];
    assertEquals([approved?.state, denied?.state], ["approved", "denied"]);
    const agents = await hive.store.agents();
    assertEquals(agents.map(({ id }) => id), [AGENT_ID, idOf("yes")]);
    assertEquals(agents[1]?.tags, ["new"]);
    assertEquals((await ask("/api/v1/enrolments"))[1], { enrolments: [] });
  });
});

Deno.test("what a hive without an agents' side does not have is not found", async () => {
  await using hive = await openTestHive();
  for (const path of ["/api/v1/ca", "/api/v1/enrolments"]) {
    assertEquals((await hive.get(path)).status, 404);
  }
});
