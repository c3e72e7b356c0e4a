import type { AuditLog } from "../../common/audit/mod.ts";
import type { Clock } from "../../common/config/mod.ts";
import type { Commands } from "../command/commands.ts";
import type { PendingEnrolments, TrustKeeper } from "../fleet/mod.ts";
import type { DetectCounters } from "../detect/messages.ts";
import type { Operators, Principal } from "../operators/mod.ts";
import type { Store } from "../store/store.ts";

/** Where an enrolment token sends its agent: as the agent's host reaches this hive. */
export interface TokenAddresses {
  /** HOST:PORT of enrolment. Default: where it listens. */
  readonly enroll?: string;
  /** HOST:PORT of the agents' port. Default: where it listens. */
  readonly agents?: string;
}

/** What an enrolment token is to be good for. */
export interface TokenRequest extends TokenAddresses {
  /** How long it holds, in milliseconds. Default 1 h. */
  readonly lifetimeMs?: number;
  /** Agents that it enrols. Default 1. */
  readonly uses?: number;
  /** Words that its agents get. Default: none. */
  readonly tags?: readonly string[];
  /** The only host that may use it, by its id. Default: any. */
  readonly hostId?: string;
  /** The only host that may use it, by its name. Default: any. */
  readonly hostName?: string;
  /** True when an operator has to approve each enrolment. Default false. */
  readonly approval?: boolean;
}

/** An enrolment token. */
export interface EnrollToken {
  readonly text: string;
  /** SHA-256 of its secret, to withdraw it. */
  readonly id: string;
  /** Unix time in milliseconds. */
  readonly expiresMs: number;
}

/** What the operators' side of a hive works with. */
export interface ApiOptions {
  readonly store: Store;
  readonly operators: Operators;
  /** Where decisions are recorded before they take effect. */
  readonly audit: AuditLog;
  /** Version of the program. */
  readonly version: string;
  /** What the agents' port turned away, by reason. Default: nothing. */
  readonly refused?: () => Promise<Readonly<Record<string, number>>>;
  /** Sends orders to agents. Absent: this hive gives none. */
  readonly commands?: Commands | undefined;
  /** Makes an enrolment token. Absent: this hive enrols none. */
  readonly enrollToken?: (asked: TokenRequest) => Promise<EnrollToken>;
  /** The hive's certificates. Absent: this hive has none. */
  readonly trust?: Pick<
    TrustKeeper,
    "view" | "server" | "rotateAuthority" | "rotateServer" | "issue"
  >;
  /** Enrolments that wait for an operator. Absent: none do. */
  readonly pending?: Pick<PendingEnrolments, "list" | "decide">;
  /** What correlation over all hosts did. Absent: this hive does none. */
  readonly detection?: () => Promise<DetectCounters>;
  /** Where failures are told, one line each. Default: nowhere. */
  readonly log?: (line: string) => void;
  /** Default: the host's clock. */
  readonly clock?: Clock;
  /** True behind a proxy that ends TLS: cookies are for TLS alone. Default: as the request came. */
  readonly behindTls?: boolean;
}

/** The same with every default in its place. */
export type ApiContext =
  & Required<Omit<ApiOptions, "enrollToken" | "commands" | "trust" | "pending" | "detection">>
  & {
    readonly commands: Commands | undefined;
    readonly enrollToken: ApiOptions["enrollToken"];
    readonly trust: ApiOptions["trust"];
    readonly pending: ApiOptions["pending"];
    readonly detection: ApiOptions["detection"];
    /** Unix time in milliseconds. */
    readonly startedMs: number;
  };

/** What a server tells about a connection. */
export interface Peer {
  readonly remoteAddr?: { readonly transport: string; readonly hostname?: string };
  /** Called once it is known who asks: an account's id; `undefined` = nobody who has signed in. */
  readonly askedBy?: (who: string | undefined) => void;
}

/** Types of the Hono apps here. */
export interface ApiEnv {
  // deno-lint-ignore ban-types -- Hono's own form of "nothing more is bound"
  Bindings: Peer & {};
  Variables: { principal: Principal; operators: Operators };
}
