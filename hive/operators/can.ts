import { type Principal, roleOf } from "./principal.ts";
import { reaches, type Role } from "./role.ts";

/** What is asked for. */
export type Action =
  | "read"
  | "create"
  | "change"
  | "revoke"
  | "approve"
  | "end";

/** Who may: from a role on, and only by these ways in. */
interface Grant {
  /** Default: everyone, signed in or not. */
  readonly role?: Role;
  /** Default: all. */
  readonly by?: readonly Principal["kind"][];
}

const FOR_ALL: Grant = {};
const VIEWER: Grant = { role: "viewer" };
const ANALYST: Grant = { role: "analyst" };
const RESPONDER: Grant = { role: "responder" };
const ADMIN: Grant = { role: "admin" };
/** For people in a browser. */
const IN_BROWSER: Grant = { role: "viewer", by: ["session"] };
/** For whoever owns the host. */
const HOST: Grant = { role: "admin", by: ["token"] };

/** The whole table: what is not in it is refused. */
export const GRANTS = {
  health: { read: FOR_ALL },
  login: { create: FOR_ALL },
  status: { read: VIEWER },
  agents: { read: VIEWER, revoke: RESPONDER },
  alerts: { read: VIEWER },
  events: { read: VIEWER },
  stats: { read: VIEWER },
  metrics: { read: VIEWER },
  description: { read: VIEWER },
  console: { read: IN_BROWSER },
  session: { end: IN_BROWSER },
  own_account: { read: VIEWER, change: IN_BROWSER },
  own_tokens: { read: VIEWER, create: IN_BROWSER, revoke: VIEWER },
  approvals: { read: ANALYST, approve: RESPONDER },
  audit: { read: ANALYST },
  ca: { read: VIEWER, change: ADMIN },
  certificate: { create: ADMIN },
  enrolments: { read: ANALYST, approve: RESPONDER },
  enroll_token: { create: ADMIN, revoke: ADMIN },
  herd: { read: VIEWER, change: RESPONDER, revoke: ADMIN },
  antibodies: { create: ANALYST, approve: ANALYST, revoke: ANALYST },
  verdicts: { create: ANALYST },
  genesis: { create: ADMIN },
  users: { read: ADMIN, create: ADMIN, change: ADMIN },
  tokens: { read: ADMIN, create: ADMIN, revoke: ADMIN },
  directives: { read: VIEWER, create: RESPONDER },
  directive_key: { change: ADMIN },
  kill_switch: { read: VIEWER, create: RESPONDER, change: ADMIN },
  login_link: { create: HOST },
} as const satisfies Readonly<Record<string, Partial<Record<Action, Grant>>>>;

/** What it is asked of. */
export type ApiObject = keyof typeof GRANTS;

/**
 * The one place that says who may do what. What is not named is refused.
 *
 * @param principal Who asks.
 * @param action What for.
 * @param object Of what.
 */
// deno-lint-ignore immune/argument-count -- a sentence: subject, verb, object
export function can(principal: Principal, action: Action, object: ApiObject): boolean {
  const actions: Partial<Record<Action, Grant>> = GRANTS[object];
  const grant = actions[action];
  if (grant === undefined) return false;
  if (grant.by !== undefined && !grant.by.includes(principal.kind)) return false;
  if (grant.role === undefined) return true;
  const role = roleOf(principal);
  return role !== undefined && reaches(role, grant.role);
}
