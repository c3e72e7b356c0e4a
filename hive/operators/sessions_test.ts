import { assertEquals } from "@std/assert";
import { addPerson, OWNER, whoIs, withOperators } from "./_test_support.ts";
import {
  SESSION_FRESH_MS,
  SESSION_IDLE_MS,
  SESSION_MS,
  SESSIONS_PER_ACCOUNT_MAX,
} from "./sessions.ts";

Deno.test("a session ends by itself, at sign-out, and when nobody does anything", () =>
  withOperators(async ({ clock, token, operators }) => {
    const kind = async (session: string, isActive = true): Promise<string> =>
      (await operators.principal({ authorization: undefined, session, isActive })).kind;
    const [first, second] = [
      await operators.signIn(token, "a"),
      await operators.signIn(token, "a"),
    ];
    operators.signOut(first);
    assertEquals([await kind(first), await kind(second)], ["anonymous", "session"]);
    for (let passed = 0; passed < SESSION_MS - SESSION_IDLE_MS; passed += SESSION_IDLE_MS / 2) {
      clock.advance(SESSION_IDLE_MS / 2);
      assertEquals(await kind(second), "session");
    }
    clock.advance(SESSION_IDLE_MS - 1);
    assertEquals(await kind(second), "session");
    clock.advance(1);
    assertEquals(await kind(second), "anonymous");
    const idle = await operators.signIn(token, "a");
    clock.advance(SESSION_IDLE_MS - 1);
    // A page that renews itself does not keep it.
    assertEquals(await kind(idle, false), "session");
    clock.advance(1);
    assertEquals(await kind(idle), "anonymous");
  }));

Deno.test("a session is fresh for a while after its start", () =>
  withOperators(async ({ clock, token, operators }) => {
    const session = await operators.signIn(token, "a");
    const isFresh = async (): Promise<unknown> => {
      const found = await whoIs(operators, session);
      return found.kind === "session" && found.isFresh;
    };
    clock.advance(SESSION_FRESH_MS - 1);
    assertEquals(await isFresh(), true);
    clock.advance(1);
    assertEquals(await isFresh(), false);
  }));

Deno.test("an account has only so many sessions, and pushes out its own alone", () =>
  withOperators(async ({ operators }) => {
    const other = await operators.people.add(OWNER, { name: "bob", role: "viewer" });
    const account = await operators.people.add(OWNER, { name: "ada", role: "viewer" });
    const kept = operators.sessions.start(other.id);
    const own = Array.from(
      { length: SESSIONS_PER_ACCOUNT_MAX + 1 },
      () => operators.sessions.start(account.id),
    );
    const kinds = await Promise.all(
      [own[0], own[1], kept].map(async (each) => (await whoIs(operators, each ?? "")).kind),
    );
    assertEquals(kinds, ["anonymous", "session", "session"]);
  }));

Deno.test("a role that changes and an account that is shut change sessions at once", () =>
  withOperators(async ({ operators }) => {
    const person = await addPerson(operators);
    const account = await operators.people.own(person);
    const session = operators.sessions.start(account.id);
    const role = async (): Promise<unknown> => {
      const found = await whoIs(operators, session);
      return found.kind === "session" ? found.role : found.kind;
    };
    assertEquals(await role(), "analyst");
    await operators.people.setRole(OWNER, account, { role: "viewer" });
    assertEquals(await role(), "viewer");
    await operators.people.setDisabled(OWNER, account, { disabled: true });
    assertEquals(await role(), "anonymous");
    await operators.people.setDisabled(OWNER, account, { disabled: false });
    assertEquals(await role(), "anonymous");
  }));
