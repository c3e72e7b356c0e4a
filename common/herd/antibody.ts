import { createHash } from "node:crypto";

/** What an antibody looks for. */
export const ANTIBODY_TYPES = ["hash", "path", "domain", "address", "port", "rule"] as const;
/** Type of an antibody. */
export type AntibodyType = typeof ANTIBODY_TYPES[number];

/** What happens on a match: an alert, or an alert and a block where the host's policy allows it. */
export const ANTIBODY_ACTIONS = ["watch", "block"] as const;
/** Action of an antibody. */
export type AntibodyAction = typeof ANTIBODY_ACTIONS[number];

/** Longest value of an antibody that is no rule, in bytes. */
export const ANTIBODY_VALUE_BYTES_MAX = 1024;
/** Longest Sigma rule of an antibody, in bytes. */
export const ANTIBODY_RULE_BYTES_MAX = 8 * 1024;
/** Longest reason of an antibody, in bytes. */
export const ANTIBODY_REASON_BYTES_MAX = 200;
/** Longest time that an antibody holds, in milliseconds. */
export const ANTIBODY_LIFETIME_MS_MAX = 30 * 24 * 60 * 60 * 1000;
/** Most alerts that an antibody names as what it was born of. */
export const ANTIBODY_EVIDENCE_MAX = 16;

/** What an antibody is of. */
export interface Entry {
  readonly type: AntibodyType;
  /** In the one form that its type has (`values.ts`); the text of a rule as it is. */
  readonly value: string;
}

/** A block or watch entry that hosts share. It is data: never code, never a credential. */
export interface Antibody extends Entry {
  /** Hash of type and value: the same entry has the same id, whoever proposes it. */
  readonly id: string;
  readonly action: AntibodyAction;
  /** Why it is there, for people. */
  readonly reason: string;
  /** Ids of the alerts that it was born of. */
  readonly evidence: readonly string[];
  /** Unix time in milliseconds. */
  readonly madeMs: number;
  /** Unix time in milliseconds from which on it does nothing. */
  readonly expiresMs: number;
}

/** First part of the id of the rule that an antibody's matches are alerts of. */
export const ANTIBODY_RULE_PREFIX = "herd-";

/**
 * Id of an entry.
 *
 * @param entry Type and value.
 * @returns 32 lower-case hexadecimal digits.
 */
export function antibodyId({ type, value }: Entry): string {
  return createHash("sha256").update(`immune antibody 1\0${type}\0${value}`).digest("hex")
    .slice(0, 32);
}

/**
 * Id of the rule under which an antibody's matches come as alerts.
 *
 * @param id Id of the antibody.
 */
export function antibodyRuleId(id: string): string {
  return `${ANTIBODY_RULE_PREFIX}${id}`;
}
