/** Who asks. */
export type Principal =
  | { readonly kind: "anonymous" }
  /** Holder of the state folder's API token. */
  | { readonly kind: "token" }
  /** A person who signed in to the console. */
  | { readonly kind: "session" };

/** What is asked for. */
export type Action = "read" | "create" | "end";

/** What it is asked of. */
export type ApiObject =
  | "health"
  | "status"
  | "agents"
  | "alerts"
  | "events"
  | "stats"
  | "metrics"
  | "description"
  | "console"
  | "login_link"
  | "enroll_token"
  | "session";

const MAY: Readonly<Record<Principal["kind"], ReadonlySet<string>>> = {
  anonymous: new Set(["read health"]),
  token: new Set([
    "read health",
    "read status",
    "read agents",
    "read alerts",
    "read events",
    "read stats",
    "read metrics",
    "read description",
    "create login_link",
    "create enroll_token",
  ]),
  session: new Set([
    "read health",
    "read status",
    "read agents",
    "read alerts",
    "read events",
    "read stats",
    "read metrics",
    "read description",
    "read console",
    "end session",
  ]),
};

/**
 * The one place that says who may do what. What is not named is refused.
 *
 * @param principal Who asks.
 * @param action What for.
 * @param object Of what.
 */
// deno-lint-ignore immune/argument-count -- a sentence: subject, verb, object
export function can(principal: Principal, action: Action, object: ApiObject): boolean {
  return MAY[principal.kind].has(`${action} ${object}`);
}
