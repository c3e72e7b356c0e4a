import { assert, assertEquals } from "@std/assert";
import { codeOf, OWNER, type TestOperators, withOperators } from "./_test_support.ts";
import {
  type Accounts,
  APPROVAL_MS,
  type ApprovalAct,
  Approvals,
  APPROVALS_MAX,
  APPROVALS_OPEN_MAX,
  type Operators,
  type Person,
  type Principal,
  REASON_CHARACTERS_MAX,
  type Role,
} from "./mod.ts";

type PersonHere = Principal & { readonly kind: "session"; readonly person: Person };

interface Room extends TestOperators {
  readonly approvals: Approvals;
  readonly accounts: Accounts;
  readonly ada: PersonHere;
  readonly bob: PersonHere;
  readonly eve: PersonHere;
  /** Payloads that were carried out. */
  readonly done: unknown[];
}

async function person(
  { accounts }: Operators,
  name: string,
  role: Role = "responder",
): Promise<PersonHere> {
  const { id } = await accounts.add({ name, role });
  return { kind: "session", person: { id, name }, role, isFresh: true };
}

/** An act of the tests, for which one has to be a responder. */
function act(run: ApprovalAct["run"], more: Partial<ApprovalAct> = {}): ApprovalAct {
  return { action: "host.stop", needs: ["create", "directives"], run, ...more };
}

function inRoom(test: (room: Room) => Promise<void>): Promise<void> {
  return withOperators(async (made) => {
    const { accounts } = made.operators;
    const approvals = new Approvals({ ...made, accounts });
    const done: unknown[] = [];
    approvals.register(act((payload) => Promise.resolve(void done.push(payload))));
    const ada = await person(made.operators, "ada");
    const bob = await person(made.operators, "bob");
    const eve = await person(made.operators, "eve");
    await test({ ...made, accounts, approvals, ada, bob, eve, done });
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
    const told = audit.read({ limit: 3 }).entries.map(({ actor, decision }) =>
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
      person: ada.person,
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
  inRoom(async ({ approvals, ada, bob, done, ...made }) => {
    const waits = await approvals.ask(ada, REQUEST);
    const begun = await beginAndDie({ ...made, ada, bob });
    const again = new Approvals(made);
    again.register(act((payload) => Promise.resolve(void done.push(payload))));
    await again.resume();
    const states = new Map((await again.list()).map(({ id, state }) => [id, state]));
    assertEquals([states.get(waits.id), states.get(begun)], ["open", "failed"]);
    assertEquals((await again.approve(bob, waits.id)).state, "done");
    assertEquals(done, [REQUEST.payload]);
  }));

Deno.test("Approvals ends at a start what was begun, where twice is no more than once", () =>
  inRoom(async ({ ada, bob, done, ...made }) => {
    const begun = await beginAndDie({ ...made, ada, bob });
    const again = new Approvals(made);
    again.register(act((payload) => Promise.resolve(void done.push(payload)), {
      isRepeatable: true,
      // It stands otherwise since it was begun.
      standing: () => Promise.resolve("stopped"),
    }));
    await again.resume();
    assertEquals((await again.list()).find(({ id }) => id === begun)?.state, "done");
    assertEquals(done, [REQUEST.payload]);
    await again.resume();
    assertEquals(done.length, 1);
  }));

/** An act that is under way for ever: what a hive leaves behind that is killed. */
async function beginAndDie(
  { ada, bob, ...made }: Pick<Room, "ada" | "bob" | "store" | "accounts" | "clock" | "audit">,
): Promise<string> {
  const stuck = new Approvals(made);
  const began = Promise.withResolvers<void>();
  stuck.register(act(() => {
    began.resolve();
    return new Promise(() => {});
  }));
  const { id } = await stuck.ask(ada, REQUEST);
  void stuck.approve(bob, id);
  await began.promise;
  return id;
}

Deno.test("Approvals takes nobody who may not do it, as who approves and as who asked", () =>
  inRoom(async ({ operators, accounts, approvals, ada, bob, done, audit }) => {
    const viewer = await person(operators, "val", "analyst");
    const { id } = await approvals.ask(ada, REQUEST);
    assertEquals(await codeOf(() => approvals.approve(viewer, id)), "FORBIDDEN");
    const small: Principal = { kind: "api_token", id: "1", person: bob.person, role: "analyst" };
    assertEquals(await codeOf(() => approvals.approve(small, id)), "FORBIDDEN");
    assertEquals(audit.read({ limit: 1 }).entries[0]?.detail?.["why"], "role");
    await accounts.change(ada.person.id, (account) => ({ ...account, role: "viewer" }));
    const { state, outcome } = await approvals.approve(bob, id);
    assertEquals([state, done], ["failed", []]);
    assert(outcome?.includes('"ada" may not any more'), outcome ?? "");
    await accounts.change(ada.person.id, (account) => ({ ...account, role: "admin" }));
    assertEquals(await codeOf(() => approvals.approve(bob, id)), "CONFLICT");
  }));

Deno.test("Approvals does nothing to what has changed since it was asked for", () =>
  inRoom(async ({ approvals, ada, bob, done }) => {
    let stands = "running";
    approvals.register(act((payload) => Promise.resolve(void done.push(payload)), {
      standing: () => Promise.resolve(stands),
    }));
    const { id } = await approvals.ask(ada, REQUEST);
    stands = "drained";
    const { state, outcome } = await approvals.approve(bob, id);
    assertEquals([state, done], ["failed", []]);
    assert(outcome?.includes("it changed since"), outcome ?? "");
    const again = await approvals.ask(ada, REQUEST);
    assertEquals((await approvals.approve(bob, again.id)).state, "done");
  }));

Deno.test("Approvals keeps why an act failed", () =>
  inRoom(async ({ approvals, ada, bob }) => {
    const fail = (): Promise<void> => Promise.reject(new TypeError("secret"));
    approvals.register(act(fail, { action: "host.fail" }));
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
  withOperators(async ({ operators, store }) => {
    const ada = await person(operators, "ada", "admin");
    const bob = await person(operators, "bob", "admin");
    const val = await person(operators, "val", "viewer");
    const account = await operators.people.own(val);
    const request = {
      action: "user.role",
      object: "val",
      payload: { account: account.id, role: "analyst" },
    };
    const { id } = await operators.approvals.ask(ada, request);
    const stale = await operators.approvals.ask(ada, request);
    await operators.approvals.approve(bob, id);
    assertEquals((await operators.accounts.get(account.id))?.role, "analyst");
    assertEquals((await operators.approvals.approve(bob, stale.id)).state, "failed");
    const root = await operators.approvals.ask(ada, request);
    const row = await store.document("approval", root.id);
    assert(row !== undefined);
    const body = row.body.replace('"role":"analyst"', '"role":"root"');
    await store.putDocument({ ...row, body, version: row.version + 1 });
    assertEquals((await operators.approvals.approve(bob, root.id)).state, "failed");
  }));
