import type { AuditLog } from "../../common/audit/mod.ts";
import type { Clock } from "../../common/config/mod.ts";
import type { Commands } from "../command/commands.ts";
import type { Operators, Principal } from "../operators/mod.ts";
import type { Store } from "../store/store.ts";

/** Where an enrolment token sends its agent: as the agent's host reaches this hive. */
export interface TokenAddresses {
  /** HOST:PORT of enrolment. Default: where it listens. */
  readonly enroll?: string | undefined;
  /** HOST:PORT of the agents' port. Default: where it listens. */
  readonly agents?: string | undefined;
}

/** An enrolment token. */
export interface EnrollToken {
  readonly text: string;
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
  /** Makes a token that enrols one agent. Absent: this hive enrols none. */
  readonly enrollToken?: (addresses: TokenAddresses) => Promise<EnrollToken>;
  /** Where failures are told, one line each. Default: nowhere. */
  readonly log?: (line: string) => void;
  /** Default: the host's clock. */
  readonly clock?: Clock;
  /** True behind a proxy that ends TLS: cookies are for TLS alone. Default: as the request came. */
  readonly behindTls?: boolean;
}

/** The same with every default in its place. */
export type ApiContext = Required<Omit<ApiOptions, "enrollToken" | "commands">> & {
  readonly commands: Commands | undefined;
  readonly enrollToken: ApiOptions["enrollToken"];
  /** Unix time in milliseconds. */
  readonly startedMs: number;
};

/** What a server tells about a connection. */
export interface Peer {
  readonly remoteAddr?: { readonly transport: string; readonly hostname?: string };
}

/** Types of the Hono apps here. */
export interface ApiEnv {
  // deno-lint-ignore ban-types -- Hono's own form of "nothing more is bound"
  Bindings: Peer & {};
  Variables: { principal: Principal; operators: Operators };
}
