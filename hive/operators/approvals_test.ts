import { assert, assertEquals } from "@std/assert";
import { AuditLog } from "../../common/audit/mod.ts";
import { addPerson, codeOf, OWNER, type TestOperators, withOperators } from "./_test_support.ts";
import {
  APPROVAL_MS,
  Approvals,
  APPROVALS_MAX,
  APPROVALS_OPEN_MAX,
  type Principal,
  REASON_CHARACTERS_MAX,
} from "./mod.ts";

interface Room extends TestOperators {
  readonly approvals: Approvals;
  readonly ada: Principal;
  readonly bob: Principal;
  readonly eve: Principal;
  /** Payloads that were carried out. */
  readonly done: unknown[];
}

function person(name: string): Principal {
  return { kind: "session", person: { id: name, name }, role: "responder", isFresh: true };
}

function inRoom(test: (room: Room) => Promise<void>): Promise<void> {
  return withOperators(async (made) => {
    const approvals = new Approvals(made);
    const done: unknown[] = [];
    approvals.register({
      action: "host.stop",
      run: (payload) => Promise.resolve(void done.push(payload)),
    });
    const [ada, bob, eve] = [person("ada"), person("bob"), person("eve")];
    await test({ ...made, approvals, ada, bob, eve, done });
  });
}

const REQUEST = { action: "host.stop", object: "gpu-01", payload: { host: "gpu-01" } };

Deno.test("Approvals does what another person approves, once", () =>
  inRoom(async ({ approvals, ada, bob, eve, done, audit }) => {
    const { id, state } = await approvals.ask(ada, { ...REQUEST, reason: "mining" });
    assertEquals([state, done], ["open", []]);
    assertEquals((await approvals.approve(bob, id)).state, "done");
    assertEquals(done, [{ host: "gpu-01" }]);
    assertEquals(await codeOf(() => approvals.approve(eve, id)), "CONFLICT");
    assertEquals(await codeOf(() => approvals.deny(eve, id)), "CONFLICT");
    assertEquals(done.length, 1);
    const told = audit.read({ limit: 9 }).entries.map(({ actor, decision }) =>
      `${actor.name} ${decision}`
    );
    assertEquals(told, ["bob done", "bob approved", "ada asked"]);
  }));

Deno.test("Approvals takes no approval of the same person, by whichever way in", () =>
  inRoom(async ({ approvals, ada, done }) => {
    const { id } = await approvals.ask(ada, REQUEST);
    const program: Principal = {
      kind: "api_token",
      id: "1",
      person: { id: "ada", name: "ada" },
      role: "admin",
    };
    const owner: Principal = { kind: "session", role: "admin", isFresh: true };
    for (const principal of [ada, program, OWNER, owner]) {
      assertEquals(await codeOf(() => approvals.approve(principal, id)), "FORBIDDEN");
    }
    assertEquals(done, []);
  }));

Deno.test("Approvals asks two people where nobody with an account asks", () =>
  inRoom(async ({ approvals, ada, bob, done }) => {
    const { id } = await approvals.ask(OWNER, REQUEST);
    assertEquals((await approvals.approve(ada, id)).state, "open");
    assertEquals(await codeOf(() => approvals.approve(ada, id)), "FORBIDDEN");
    assertEquals(done, []);
    assertEquals((await approvals.approve(bob, id)).state, "done");
  }));

Deno.test("Approvals at the same instant do it once", () =>
  inRoom(async ({ approvals, ada, bob, eve, done }) => {
    const { id } = await approvals.ask(ada, REQUEST);
    const tries = [approvals.approve(bob, id), approvals.approve(eve, id), approvals.deny(eve, id)];
    const ended = await Promise.allSettled(tries);
    assertEquals(ended.filter(({ status }) => status === "fulfilled").length, 1);
    assert(done.length <= 1);
  }));

Deno.test("Approvals closes what nobody approved in time, and says so once", () =>
  inRoom(async ({ approvals, ada, bob, clock, audit, done }) => {
    const { id } = await approvals.ask(ada, REQUEST);
    clock.advance(APPROVAL_MS - 1);
    assertEquals((await approvals.list())[0]?.state, "open");
    clock.advance(1);
    assertEquals(await codeOf(() => approvals.approve(bob, id)), "CONFLICT");
    assertEquals((await approvals.list())[0]?.state, "expired");
    assertEquals(done, []);
    const expired = audit.read({ limit: 9 }).entries.filter(({ decision }) =>
      decision === "expired"
    );
    assertEquals(expired.length, 1);
  }));

Deno.test("Approvals.deny() closes it, by whoever asked too", () =>
  inRoom(async ({ approvals, ada, bob }) => {
    for (const principal of [ada, bob]) {
      const { id } = await approvals.ask(ada, REQUEST);
      assertEquals((await approvals.deny(principal, id)).state, "denied");
      assertEquals(await codeOf(() => approvals.approve(bob, id)), "CONFLICT");
    }
  }));

Deno.test("Approvals survives a restart: what waits waits, what was begun is not done again", () =>
  inRoom(async ({ approvals, ada, bob, store, clock, audit, done }) => {
    const waits = await approvals.ask(ada, REQUEST);
    const stuck = new Approvals({ store, clock, audit });
    const began = Promise.withResolvers<void>();
    stuck.register({
      action: "host.stop",
      run: () => {
        began.resolve();
        return new Promise(() => {});
      },
    });
    const begun = await stuck.ask(ada, REQUEST);
    void stuck.approve(bob, begun.id);
    await began.promise;
    const again = new Approvals({ store, clock, audit });
    again.register({
      action: "host.stop",
      run: (payload) => Promise.resolve(void done.push(payload)),
    });
    await again.resume();
    const states = new Map((await again.list()).map(({ id, state }) => [id, state]));
    assertEquals([states.get(waits.id), states.get(begun.id)], ["open", "failed"]);
    assertEquals((await again.approve(bob, waits.id)).state, "done");
    assertEquals(done, [REQUEST.payload]);
  }));

Deno.test("Approvals keeps why an act failed", () =>
  inRoom(async ({ approvals, ada, bob }) => {
    approvals.register({ action: "host.fail", run: () => Promise.reject(new TypeError("secret")) });
    const { id } = await approvals.ask(ada, { ...REQUEST, action: "host.fail" });
    const { state, outcome } = await approvals.approve(bob, id);
    assertEquals([state, outcome], ["failed", "It failed; the log says why"]);
  }));

Deno.test("Approvals has bounds: unknown acts, long reasons, many at a time", () =>
  inRoom(async ({ approvals, ada, clock, store }) => {
    const ask = (changes: object): Promise<unknown> =>
      approvals.ask(ada, { ...REQUEST, ...changes });
    for (
      const changes of [
        { action: "host.other" },
        { reason: "x".repeat(REASON_CHARACTERS_MAX + 1) },
        { payload: "x".repeat(20_000) },
        { lifetimeMs: 0 },
        { lifetimeMs: Infinity },
      ]
    ) assertEquals(await codeOf(() => ask(changes)), "INPUT_MALFORMED");
    for (let i = 0; i < APPROVALS_OPEN_MAX; i++) await ask({});
    assertEquals(await codeOf(() => ask({})), "RATE_LIMITED");
    for (let round = 0; round < 4; round++) {
      clock.advance(APPROVAL_MS);
      for (let i = 0; i < APPROVALS_OPEN_MAX; i++) await ask({});
    }
    const { documents } = await store.documents({ kind: "approval", limit: 1000 });
    assertEquals(documents.length, APPROVALS_MAX);
  }));

Deno.test("a role that takes two people is changed when the second approves", () =>
  withOperators(async ({ operators, audit }) => {
    assert(audit instanceof AuditLog);
    const [ada, bob] = [await addPerson(operators), await addPerson(operators, "bob")];
    const account = await operators.people.own(ada);
    const { id } = await operators.approvals.ask(ada, {
      action: "user.role",
      object: "ada",
      payload: { account: account.id, role: "admin" },
    });
    await operators.approvals.approve(bob, id);
    assertEquals((await operators.accounts.get(account.id))?.role, "admin");
    const bad = await operators.approvals.ask(ada, {
      action: "user.role",
      object: "ada",
      payload: { account: account.id, role: "root" },
    });
    assertEquals((await operators.approvals.approve(bob, bad.id)).state, "failed");
  }));
