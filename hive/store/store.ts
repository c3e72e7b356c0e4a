import type { Alert, Loss } from "../../common/wire/mod.ts";
import type { DirectiveStore } from "./directive_store.ts";
import type { HerdCall, HerdGives, HerdTakes } from "../herd/herd.ts";
import type { SensorTallies } from "./tallies.ts";
import type { TierTotals } from "./tier_rows.ts";

/** Most alerts of a page. */
export const ALERTS_PER_PAGE_MAX = 1000;
/** Most blocks of an answer. */
export const BLOCKS_PER_ANSWER_MAX = 1000;
/** Most bytes of an answer's blocks together, unless the first one alone is longer. */
export const ANSWER_BYTES_MAX = 32 * 1024 * 1024;
/** Minutes of the roll-up that are kept. */
export const MINUTES_MAX = 60;
/** Most enrolment tokens that are valid at once. */
export const TOKENS_MAX = 10_000;

/** Most documents of a kind. */
export const DOCUMENTS_MAX = 10_000;
/** Most documents of a page. */
export const DOCUMENTS_PER_PAGE_MAX = 1000;
/** Most bytes of a document. */
export const DOCUMENT_BYTES_MAX = 64 * 1024;

/** A small thing that people make, such as an account. */
export interface DocumentRow {
  /** What it is; the room that has it chooses. */
  readonly kind: string;
  readonly id: string;
  /** Another name that only one of its kind has; null = none. */
  readonly key: string | null;
  /** From 1, one more with each change: two changes of one version cannot both be kept. */
  readonly version: number;
  /** JSON. */
  readonly body: string;
}

/** Which documents are wanted, by their ids. */
export interface DocumentQuery {
  readonly kind: string;
  /** At most this many, 1 to 1000. */
  readonly limit: number;
  /** Only those behind this id. */
  readonly after?: string;
}

/** A page of documents. */
export interface DocumentPage {
  readonly documents: readonly DocumentRow[];
  /** For `after` of the next page; null = this was the last. */
  readonly next: string | null;
}

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
  /** Rules that it has in force, as it last said; null = it has not said. */
  readonly rules: number | null;
  /** SHA-256 of its rule image; null = it has not said. */
  readonly ruleSet: string | null;
  /** Words that its enrolment token gave it. */
  readonly tags: readonly string[];
}

/** An agent that is added. */
export interface NewAgent extends Pick<AgentRow, "id" | "hostId" | "hostName"> {
  /** Default: none. */
  readonly tags?: readonly string[];
}

/** A valid certificate's owner. */
export interface CertificateRow {
  /** SHA-256 of the certificate (DER), 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  readonly agentId: string;
  /** Host id of that agent: its batches must carry it. */
  readonly hostId: string;
  /** Revoked, or followed by another one. */
  readonly revoked: boolean;
  /** True for one that is to follow another and was not used yet. */
  readonly unused: boolean;
}

/** A certificate that is to follow another of the same agent. */
export interface RenewedCertificate {
  /** Of the new one. */
  readonly fingerprint: string;
  /** Fingerprint of the one that asked for it. */
  readonly by: string;
  /** Unix time in milliseconds until which older ones are good should the new one not be used. */
  readonly untilMs: number;
}

/** An enrolment token, of which only the hash is kept. */
export interface TokenRow {
  /** SHA-256 of the secret, 64 lower-case hexadecimal digits. */
  readonly secretHash: string;
  /** Unix time in milliseconds after which it is refused. */
  readonly expiresMs: number;
  /** Agents that it enrols. Default 1. */
  readonly uses?: number;
  /** Words that its agents get. Default: none. */
  readonly tags?: readonly string[];
  /** The only host that it enrols, by its id. Default: any. */
  readonly hostId?: string;
  /** The only host that it enrols, by its name. Default: any. */
  readonly hostName?: string;
  /** True when an operator has to approve each enrolment. Default false. */
  readonly approval?: boolean;
}

/** Who uses a token, and when. */
export interface TokenUse {
  /** Unix time in milliseconds. */
  readonly nowMs: number;
  readonly hostId: string;
  readonly hostName: string;
}

/** What a token gives who uses it. */
export interface TokenGrant {
  readonly tags: readonly string[];
  /** True when an operator has to approve. */
  readonly approval: boolean;
}

/** A batch as it arrived, and what the hive needs of it. */
export interface Block {
  readonly agentId: string;
  /**
   * The whole batch (common/wire), header and all. It belongs to the store from then on: its
   * buffer may be handed to another thread.
   */
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

/** Which alerts of agents are wanted, in the order of their coming. */
export interface FeedQuery {
  /** Number of the last one that is known; 0 = from the first on. */
  readonly after: number;
  /** At most this many, 1 to 1000. */
  readonly limit: number;
}

/** An alert of an agent, and its place in the order of coming. */
export interface FedAlert {
  readonly number: number;
  readonly alert: Alert;
}

/** How far the hive's own detection came. */
export interface DetectionState {
  /** Number of the last alert that is in the state. */
  readonly position: number;
  readonly state: Uint8Array<ArrayBuffer>;
}

/** What the hive's own detection came to. */
export interface Detected {
  /** Alerts of its own. */
  readonly alerts: readonly Alert[];
  /** Absent: the last one stays. */
  readonly state?: DetectionState;
}

/** Which blocks are wanted, in the order of their coming, newest first. */
export interface BlockQuery {
  /** Only those with a record at or after this Unix time in milliseconds. */
  readonly sinceMs?: number;
  /** Only those with a record at or before this Unix time in milliseconds. */
  readonly untilMs?: number;
  readonly agentId?: string;
  /** Only those that can hold a record of one of these kinds (numbers of common/record). */
  readonly kinds?: readonly number[];
  /** Continue below the block with this id. */
  readonly before?: number;
  /** At most this many, 1 to 1000. Fewer may come; none means that there are no more. */
  readonly limit: number;
}

/** A stored block. */
export interface StoredBlock {
  /** Counts up in the order of coming. */
  readonly id: number;
  readonly agentId: string;
  /** The batch; positions below `from` were stored by an earlier block. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly from: number;
}

/**
 * Figures of one agent's ledger: made = stored + lost by cause. A position of a journal is stored
 * or lost once: losses of the journal count the positions that were passed over, and other losses
 * count with the first record of the batch that names them.
 */
export interface AgentLedger {
  readonly agentId: string;
  /** Highest journal position stored, of its newest journal. */
  readonly position: number;
  /** Records stored, over all its journals. */
  readonly stored: number;
  readonly losses: readonly Pick<Loss, "cause" | "count" | "certain">[];
  /** What its sensor counted, before there were records, and what its enforcement did. */
  readonly sensor: SensorTallies & { readonly tiers: readonly TierTotals[] };
}

/** Scans of all agents, as their health records tell. */
export interface ScanTotals {
  /** Nanoseconds in scans. */
  readonly timeNs: number;
  /** Scans by class of their duration (common/wire/health.ts). */
  readonly scans: readonly number[];
}

/** Totals for status, metrics and the console's tiles. */
export interface StoreStats {
  readonly agents: number;
  /** Records stored, of every kind. */
  readonly records: number;
  /** Of them, those that a kernel made. */
  readonly events: number;
  /** Events that came in each of the last 60 full minutes, oldest first, without quiet ones. */
  readonly eventsByMinute: readonly { readonly minuteMs: number; readonly events: number }[];
  readonly scans: ScanTotals;
  readonly alertsBySeverity: Readonly<Record<string, number>>;
  /** Alerts since midnight UTC. */
  readonly alertsToday: number;
  /** By name of the cause; `cause_N` for one that this version does not know. */
  readonly lossesByCause: Readonly<Record<string, number>>;
  /** What was turned away since the store was opened. */
  readonly turnedAway: {
    /** Records that were stored already. */
    readonly repeated: number;
    /** Batches behind a gap that they do not name. */
    readonly gaps: number;
    /** Alert records that hold no alert of that host; their blocks are stored. */
    readonly alerts: number;
    /** Appends over the bound of those that wait. */
    readonly appends: number;
  };
}

/**
 * Where a hive keeps everything. One interface, one contract test suite, more than one
 * implementation. A promise that resolves means durable.
 */
export interface Store extends DirectiveStore {
  /** Adds a token; those that expired go. `RATE_LIMITED` over the bound of tokens. */
  addToken(token: TokenRow): Promise<void>;
  /**
   * Uses a token once; `undefined` when it is unknown, used up, expired or another host's. It never
   * gives more than its uses, however many ask at once.
   */
  useToken(secretHash: string, use: TokenUse): Promise<TokenGrant | undefined>;
  /** Makes a token worthless; false when there is none. */
  removeToken(secretHash: string): Promise<boolean>;
  /** Adds an agent with its certificate; `STORE_FAILED` when either is there already. */
  addAgent(agent: NewAgent, fingerprint: string): Promise<void>;
  /** A certificate that was given out, revoked or not; `undefined` for any other. */
  certificate(fingerprint: string): Promise<CertificateRow | undefined>;
  /**
   * Adds a certificate that is to follow another of its agent: the older ones are good until it is
   * used (`confirmCertificate`), and no longer than a bound. `CERTIFICATE_REFUSED` when the one
   * that asks is not good.
   */
  renewCertificate(renewed: RenewedCertificate): Promise<void>;
  /** A certificate was used: all others of its agent are good no more. */
  confirmCertificate(fingerprint: string): Promise<void>;
  /** Revokes all certificates of an agent; false when there is no such agent. */
  revokeAgent(agentId: string): Promise<boolean>;
  /** The same for many at once: all of them, or none; gives those that there are. */
  revokeAgents(agentIds: readonly string[]): Promise<readonly string[]>;
  /** All agents in the order of their enrolment. */
  agents(): Promise<readonly AgentRow[]>;
  /**
   * Stores what lies above the last position of (agent, journal), in one transaction with it.
   *
   * Rejects with `BATCH_MALFORMED`, `BATCH_TOO_LARGE` or `RECORD_MALFORMED` for what is no batch,
   * `AGENT_MISMATCH` for an agent that is not there or the host of another one,
   * `CERTIFICATE_REFUSED` for one that is revoked, `STORE_FULL` and `STORE_FAILED`; nothing is
   * stored then.
   */
  append(block: Block): Promise<Stored>;
  /** A page of alerts; `INPUT_MALFORMED` for a cursor or limit that is none. */
  alerts(query: AlertQuery): Promise<AlertPage>;
  alert(id: string): Promise<Alert | undefined>;
  /** Alerts of agents in the order of their coming; `INPUT_MALFORMED` for a limit that is none. */
  alertFeed(query: FeedQuery): Promise<readonly FedAlert[]>;
  /** How far the hive's own detection came; `undefined` before it began. */
  detectionState(): Promise<DetectionState | undefined>;
  /**
   * Stores alerts of the hive's own and how far it came, in one transaction. One that is there
   * already stays; `INPUT_MALFORMED` for what is no alert.
   *
   * @returns Alerts that are new.
   */
  detected(found: Detected): Promise<number>;
  /** Stored blocks; `INPUT_MALFORMED` for a limit that is none. */
  blocks(query: BlockQuery): Promise<readonly StoredBlock[]>;
  ledgers(): Promise<readonly AgentLedger[]>;
  document(kind: string, id: string): Promise<DocumentRow | undefined>;
  /** The document of that kind with that key. */
  findDocument(kind: string, key: string): Promise<DocumentRow | undefined>;
  /** A page of documents; `INPUT_MALFORMED` for a limit that is none. */
  documents(query: DocumentQuery): Promise<DocumentPage>;
  /**
   * Adds a document (version 1), or replaces the version before its own. False, and nothing is
   * changed, when another version or another document with its key is there. `RATE_LIMITED` over
   * the bound of a kind, `INPUT_MALFORMED` over the bound of bytes.
   */
  putDocument(document: DocumentRow): Promise<boolean>;
  /** Removes a document; false when there is none. */
  removeDocument(kind: string, id: string): Promise<boolean>;
  stats(): Promise<StoreStats>;
  /**
   * Asks the herd (`hive/herd`), in one transaction: `HERD_REFUSED` says why it does not take
   * something, and nothing is changed then.
   */
  herd<C extends HerdCall>(call: C, given: HerdTakes<C>): Promise<HerdGives<C>>;
  /** Ends it; what was asked before is answered first. */
  close(): Promise<void>;
}
