import { openTestHive, type TestHive } from "../../hive/api/_test_support.ts";
import { PASSWORD } from "../../hive/operators/_test_support.ts";
import { type OperatorsOptions, PasswordHasher } from "../../hive/operators/mod.ts";
import { told } from "./table.ts";

/** Hash of ada's password: made once, for it takes its time. */
const HASH = new PasswordHasher().hash(PASSWORD);

/** The origin that requests in memory have. */
export const OURS = "http://localhost";

/** A request of an attacker, or of a victim's browser. */
export interface Sent {
  /** Default: POST with fields, else GET. */
  readonly method?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: ours, for all but GET; `null`: none. */
  readonly origin?: string | null;
  /** Session cookie. */
  readonly session?: string;
}

/** A hive with the account "ada", an admin who has just signed in. */
export interface Target {
  readonly hive: TestHive;
  /** The session of ada. */
  readonly session: string;
  send(path: string, sent?: Sent): Promise<Response>;
  /** What the sender hears: status and code, where there is one. */
  hears(path: string, sent?: Sent): Promise<string>;
}

/**
 * Runs an attack on a hive that goes afterwards.
 *
 * @param attack The attack.
 * @param operators What differs from the default of its operators.
 */
export async function onHive(
  attack: (target: Target) => Promise<void>,
  operators: Partial<OperatorsOptions> = {},
): Promise<void> {
  await using hive = await openTestHive({}, operators);
  const owner = { kind: "token" } as const;
  const { id } = await hive.operators.people.add(owner, { name: "ada", role: "admin" });
  const password = await HASH;
  await hive.operators.accounts.change(id, (account) => ({ ...account, password }));
  const send = (path: string, sent: Sent = {}): Promise<Response> => {
    const { fields, json, session } = sent;
    const body = fields === undefined
      ? json === undefined ? undefined : JSON.stringify(json)
      : new URLSearchParams({ ...fields }).toString();
    const method = sent.method ?? (body === undefined ? "GET" : "POST");
    const origin = sent.origin === undefined && method !== "GET" ? OURS : sent.origin;
    const type = fields === undefined ? "application/json" : "application/x-www-form-urlencoded";
    return Promise.resolve(hive.api.request(path, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": type }),
        ...(origin === undefined || origin === null ? {} : { origin }),
        ...(session === undefined ? {} : { cookie: `immune_session=${session}` }),
        ...sent.headers,
      },
      ...(body === undefined ? {} : { body }),
    }));
  };
  await attack({
    hive,
    session: hive.operators.sessions.start(id),
    send,
    hears: async (path, sent) => await told(await send(path, sent)),
  });
}
