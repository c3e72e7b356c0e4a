import type { Alert, Loss } from "../../common/wire/mod.ts";

/** An agent as the hive knows it. */
export interface AgentRow {
  /** UUID given at enrolment; the name in its certificate's SAN. */
  readonly id: string;
  /** Host id, 64 lower-case hexadecimal digits. */
  readonly hostId: string;
  readonly hostName: string;
  /** RFC 3339, UTC. */
  readonly enrolledAt: string;
  /** When its last batch came, RFC 3339, UTC; null = never. */
  readonly lastSeenAt: string | null;
  /** True when its certificate is no longer accepted. */
  readonly revoked: boolean;
}

/** A valid certificate's owner. */
export interface CertificateRow {
  /** SHA-256 of the certificate (DER), 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  readonly agentId: string;
  /** Host id of that agent: its batches must carry it. */
  readonly hostId: string;
  readonly revoked: boolean;
}

/** A one-time enrolment token, of which only the hash is kept. */
export interface TokenRow {
  /** SHA-256 of the secret, 64 lower-case hexadecimal digits. */
  readonly secretHash: string;
  /** Unix time in milliseconds after which it is refused. */
  readonly expiresMs: number;
}

/** A batch as it arrived, and what the hive needs of it. */
export interface Block {
  readonly agentId: string;
  /** The whole batch (common/wire), header and all. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What became of a batch. */
export type Stored =
  | {
    /** Durable: everything up to `position` is stored. `stored` = records that were new. */
    readonly outcome: "stored";
    readonly position: number;
    readonly stored: number;
  }
  | {
    /** A gap that the batch's loss ledger does not name; nothing was stored. */
    readonly outcome: "gap";
    /** First position that would be taken. */
    readonly expected: number;
  };

/** Which alerts are wanted, newest first. */
export interface AlertQuery {
  /** Unix time in milliseconds, inclusive. */
  readonly sinceMs?: number;
  readonly severity?: Alert["severity"];
  readonly hostId?: string;
  /** At most this many, 1 to 1000. */
  readonly limit: number;
  /** Continue below this cursor, as a former answer gave it. */
  readonly before?: string;
}

/** A page of alerts. */
export interface AlertPage {
  readonly alerts: readonly Alert[];
  /** For the next page; null = this was the last. */
  readonly next: string | null;
}

/** Which blocks are wanted, newest first. */
export interface BlockQuery {
  readonly sinceMs?: number;
  readonly untilMs?: number;
  readonly agentId?: string;
  readonly limit: number;
}

/** A stored block. */
export interface StoredBlock {
  readonly agentId: string;
  /** The batch; positions below `from` were stored by an earlier block. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly from: number;
}

/** Figures of one agent's ledger: made = stored + lost by cause. */
export interface AgentLedger {
  readonly agentId: string;
  /** Highest journal position stored, of its newest journal. */
  readonly position: number;
  /** Records stored, over all its journals. */
  readonly stored: number;
  readonly losses: readonly Pick<Loss, "cause" | "count" | "certain">[];
}

/** Totals for status, metrics and the console's tiles. */
export interface StoreStats {
  readonly agents: number;
  readonly records: number;
  /** Records of the last full minutes, oldest first, at most 60. */
  readonly recordsByMinute: readonly { readonly minuteMs: number; readonly records: number }[];
  readonly alertsBySeverity: Readonly<Record<string, number>>;
  /** Alerts since midnight UTC. */
  readonly alertsToday: number;
  readonly lossesByCause: Readonly<Record<string, number>>;
}

/**
 * Where a hive keeps everything. One interface, one contract test suite, more than one
 * implementation. A promise that resolves means durable.
 */
export interface Store {
  addToken(token: TokenRow): Promise<void>;
  /** Uses a token up: true once, for one that is there and not expired at `nowMs`. */
  useToken(secretHash: string, nowMs: number): Promise<boolean>;
  addAgent(agent: Pick<AgentRow, "id" | "hostId" | "hostName">, fingerprint: string): Promise<void>;
  certificate(fingerprint: string): Promise<CertificateRow | undefined>;
  /** Revokes all certificates of an agent; false when there is no such agent. */
  revokeAgent(agentId: string): Promise<boolean>;
  agents(): Promise<readonly AgentRow[]>;
  /** Stores what lies above the last position of (agent, journal), in one transaction with it. */
  append(block: Block): Promise<Stored>;
  alerts(query: AlertQuery): Promise<AlertPage>;
  alert(id: string): Promise<Alert | undefined>;
  blocks(query: BlockQuery): Promise<readonly StoredBlock[]>;
  ledgers(): Promise<readonly AgentLedger[]>;
  stats(): Promise<StoreStats>;
  close(): Promise<void>;
}
