import type { DirectiveKind, DirectiveStream } from "./directive_body.ts";

/** Why an agent refuses a directive, in the order in which it looks. */
export const REFUSAL_CAUSES = [
  /** No directive at all. */
  "malformed",
  /** Of a kind that this version does not know. */
  "unknown_kind",
  "wrong_fleet",
  "wrong_host",
  /** A signature of zeros. */
  "unsigned",
  /** Another key's signature, or one for another purpose. */
  "bad_signature",
  /** Issued later than this host's clock says. */
  "not_yet_valid",
  "expired",
  /** Came before, or is no answer to what was asked. */
  "replay",
  /** Comes behind a later one. */
  "reorder",
  /** This host's own configuration refuses its kind. */
  "local_policy",
] as const;

/** Name of such a cause. */
export type RefusalCause = (typeof REFUSAL_CAUSES)[number];

/** Longest text of a result, in characters. */
export const RESULT_TEXT_MAX = 512;
/** Most results of a report. */
export const RESULTS_MAX = 64;

/** What became of one directive. */
export interface DirectiveResult {
  /** Counts up on this agent, so that a report that comes twice counts once. */
  readonly sequence: number;
  readonly stream: DirectiveStream;
  /** Of the directive. */
  readonly number: number;
  readonly kind: DirectiveKind;
  readonly outcome: "done" | "failed" | "refused";
  /** Set when it was refused. */
  readonly cause: RefusalCause | null;
  /** What was found to be true afterwards, such as `rule set HASH active`; else why not. */
  readonly text: string;
  /** Unix time in milliseconds, by the agent's clock. */
  readonly timeMs: number;
}

/** What the dead man's switch of an agent says. */
export const CANARY_STATES = ["fresh", "warned", "lost"] as const;
/** One of them. */
export type CanaryState = (typeof CANARY_STATES)[number];

/** What an agent tells about orders. */
export interface ResultReport {
  /** Oldest first. */
  readonly results: readonly DirectiveResult[];
  /** What was refused since the agent was enrolled, by cause. */
  readonly refused: Readonly<Record<RefusalCause, number>>;
  /** True while the kill switch keeps the sensor off. */
  readonly stopped: boolean;
  readonly canary: CanaryState;
}
