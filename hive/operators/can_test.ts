import { assert, assertEquals } from "@std/assert";
import { type Action, type ApiObject, can, GRANTS } from "./can.ts";
import type { Principal } from "./principal.ts";
import { lesser, reaches, type Role, ROLES } from "./role.ts";

const PERSON = { id: "11111111-2222-4333-8444-555555555555", name: "ada" };
const ACTIONS: readonly Action[] = ["read", "create", "change", "revoke", "approve", "end"];

function session(role: Role): Principal {
  return { kind: "session", person: PERSON, role, isFresh: true };
}

function program(role: Role): Principal {
  return { kind: "api_token", id: "1", person: PERSON, role };
}

/** Everything that a principal may, as `action object`. */
function allOf(principal: Principal): string[] {
  return (Object.keys(GRANTS) as ApiObject[]).flatMap((object) =>
    ACTIONS.filter((action) => can(principal, action, object)).map((action) =>
      `${action} ${object}`
    )
  );
}

Deno.test("can() lets nobody but look at the health, and sign in", () => {
  assertEquals(allOf({ kind: "anonymous" }), ["read health", "create login"]);
});

Deno.test("can() gives each role what the one before has, and says what is more", () => {
  const more = (a: Role, b: Role): string[] => {
    const before = new Set(allOf(session(a)));
    const after = allOf(session(b));
    for (const each of before) assert(after.includes(each), `${b} may ${each}`);
    return after.filter((each) => !before.has(each));
  };
  for (const each of allOf(session("viewer"))) {
    assert(/^read |own_|login$|end session/.test(each), `a viewer may ${each}`);
  }
  assertEquals(more("viewer", "analyst"), [
    "read approvals",
    "read audit",
    "read enrolments",
    "create antibodies",
    "revoke antibodies",
    "approve antibodies",
    "create verdicts",
  ]);
  assertEquals(more("analyst", "responder"), [
    "revoke agents",
    "approve approvals",
    "approve enrolments",
    "change herd",
    "create directives",
    "create kill_switch",
  ]);
  assertEquals(more("responder", "admin"), [
    "change ca",
    "create certificate",
    "create enroll_token",
    "revoke enroll_token",
    "revoke herd",
    "create genesis",
    "read users",
    "create users",
    "change users",
    "read tokens",
    "create tokens",
    "revoke tokens",
    "change directive_key",
    "change kill_switch",
  ]);
});

Deno.test("can() keeps pages and the own account to browsers, and login links to the host", () => {
  for (const role of ROLES) {
    assert(!can(program(role), "read", "console"));
    assert(!can(program(role), "change", "own_account"));
    assert(!can(program(role), "create", "own_tokens"));
    assert(!can(program(role), "create", "login_link"));
    assert(!can(session(role), "create", "login_link"));
  }
  const host: Principal = { kind: "token" };
  assert(can(host, "create", "login_link") && can(host, "create", "users"));
  assert(!can(host, "read", "console") && !can(host, "end", "session"));
});

Deno.test("can() refuses what the table does not name", () => {
  assert(!can({ kind: "token" }, "approve", "health"));
  assert(!can(session("admin"), "revoke", "audit"));
});

Deno.test("reaches() and lesser() agree on the order of roles", () => {
  for (const [i, a] of ROLES.entries()) {
    for (const [j, b] of ROLES.entries()) {
      assertEquals(reaches(a, b), i >= j);
      assertEquals(lesser(a, b), ROLES[Math.min(i, j)]);
    }
  }
});
