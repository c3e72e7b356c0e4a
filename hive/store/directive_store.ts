import type {
  CanaryState,
  DirectiveKind,
  DirectiveResult,
  DirectiveStream,
  RefusalCause,
  ResultReport,
} from "../../common/wire/mod.ts";

/** Directives that are kept, beside those of antibodies; the oldest go. */
export const DIRECTIVES_KEPT = 10_000;
/** Most directives of an answer. */
export const DIRECTIVES_PER_ANSWER_MAX = 256;
/** Most certificates that one question names. */
export const CERTIFICATES_ASKED_MAX = 4096;

/** A directive as the hive keeps it. */
export interface DirectiveRow {
  readonly stream: DirectiveStream;
  readonly number: number;
  readonly kind: DirectiveKind;
  /** Host id, or zeros for every host. */
  readonly target: string;
  /** Unix time in milliseconds. */
  readonly issuedMs: number;
  /** Unix time in milliseconds. */
  readonly expiresMs: number;
  /** Who wanted it, for people. */
  readonly by: string;
  /** As it goes to agents, signature included. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Which directives a host has not seen. */
export interface DirectiveQuery {
  readonly hostId: string;
  /** Highest number that it has, by stream. */
  readonly after: Readonly<Record<DirectiveStream, number>>;
  /** Only those that hold at this Unix time in milliseconds. */
  readonly nowMs: number;
}

/** Which directives are meant; canaries never are. Default: all. */
export interface DirectiveFilter {
  readonly stream?: DirectiveStream;
  readonly kind?: DirectiveKind;
  readonly number?: number;
}

/** A directive with what became of it. */
export interface DirectiveSummary extends Omit<DirectiveRow, "bytes"> {
  /** Content of its body. */
  readonly results: Readonly<Record<DirectiveResult["outcome"], number>>;
}

/** What became of a directive on one host. */
export interface DirectiveOutcome extends Omit<DirectiveResult, "sequence" | "stream" | "number"> {
  readonly agentId: string;
  readonly hostName: string;
  /** When the hive heard of it, Unix time in milliseconds. */
  readonly heardMs: number;
}

/** How an agent stands to orders, as it last said. */
export interface AgentOrders {
  readonly agentId: string;
  readonly hostName: string;
  readonly hostId: string;
  readonly revoked: boolean;
  /** True while the kill switch keeps its sensor off. */
  readonly stopped: boolean;
  readonly canary: CanaryState;
  readonly refused: Readonly<Partial<Record<RefusalCause, number>>>;
  /** Unix time in milliseconds; null = it has never said. */
  readonly heardMs: number | null;
}

/** The part of a store that keeps directives and what came of them. */
export interface DirectiveStore {
  /** The next number of a stream; it is never given twice, whatever happens. */
  nextDirectiveNumber(stream: DirectiveStream): Promise<number>;
  /**
   * Keeps a directive; `STORE_FAILED` when its number is there already. One of antibodies takes the
   * place of the one before of the same target, with what became of that.
   */
  addDirective(directive: DirectiveRow): Promise<void>;
  /** What a host has not seen and still holds, in the order of numbers, at most 256. */
  directivesFor(query: DirectiveQuery): Promise<readonly DirectiveRow[]>;
  /** What was ordered last of antibodies, of each target. */
  antibodyDirectives(): Promise<readonly DirectiveRow[]>;
  /**
   * The newest directives, newest first: of all, or of those that are asked for;
   * `INPUT_MALFORMED` for a limit that is none.
   */
  directives(limit: number, of?: DirectiveFilter): Promise<readonly DirectiveSummary[]>;
  /** What became of one directive, host by host. */
  directiveOutcomes(stream: DirectiveStream, number: number): Promise<readonly DirectiveOutcome[]>;
  /** Takes an agent's report; what it brings again counts once. */
  addReport(agentId: string, report: ResultReport): Promise<void>;
  /** How every agent stands to orders. */
  agentOrders(): Promise<readonly AgentOrders[]>;
  /** Those of some certificates that are not, or no longer, accepted. */
  refusedCertificates(fingerprints: readonly string[]): Promise<readonly string[]>;
}
