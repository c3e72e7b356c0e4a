import { assertRejects } from "@std/assert";
import { AuditLog } from "../../common/audit/mod.ts";
import { FakeClock } from "../../common/config/clock.ts";
import { type ErrorCode, ImmuneError } from "../../common/config/errors.ts";
import { SqliteStore } from "../store/mod.ts";
import { hashSecret, newSecret, Operators, type Principal } from "./mod.ts";

/** A password that is good enough. */
export const PASSWORD = "correct horse battery staple";
/** The host's owner. */
export const OWNER: Principal = { kind: "token" };

/** Operators on a real store and audit log, with a clock in hand. */
export interface TestOperators {
  readonly clock: FakeClock;
  readonly token: string;
  readonly store: SqliteStore;
  readonly audit: AuditLog;
  readonly operators: Operators;
}

/**
 * Runs a test with operators that go afterwards.
 *
 * @param test The test.
 */
export async function withOperators(test: (made: TestOperators) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const clock = new FakeClock(1_700_000_000_000);
  const store = new SqliteStore(`${folder}/store.db`, { clock });
  const audit = AuditLog.open(`${folder}/audit`, { clock });
  const token = newSecret();
  const operators = new Operators({ tokenHash: hashSecret(token), store, audit, clock });
  try {
    await test({ clock, token, store, audit, operators });
  } finally {
    audit[Symbol.dispose]();
    await store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * The code of what a promise rejects with.
 *
 * @param work Is to reject.
 */
export async function codeOf(work: () => Promise<unknown>): Promise<ErrorCode> {
  return (await assertRejects(work, ImmuneError)).code;
}

/**
 * Who a session belongs to.
 *
 * @param operators Who there is.
 * @param session Its secret.
 */
export function whoIs(operators: Operators, session: string): Promise<Principal> {
  return operators.principal({ authorization: undefined, session });
}

/**
 * An account with a password.
 *
 * @param operators Where.
 * @param name Its name. Default: ada, an analyst.
 * @param options Its role.
 */
export async function addPerson(
  operators: Operators,
  name = "ada",
  options: { readonly role?: "viewer" | "analyst" | "responder" | "admin" } = {},
): Promise<Principal> {
  const { role = "analyst" } = options;
  const account = await operators.people.add(OWNER, { name, role });
  const person = { id: account.id, name };
  const principal: Principal = { kind: "session", person, role, isFresh: true };
  await operators.people.setPassword(principal, { current: "", password: PASSWORD });
  return principal;
}
