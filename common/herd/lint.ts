import {
  type Antibody,
  ANTIBODY_ACTIONS,
  ANTIBODY_EVIDENCE_MAX,
  ANTIBODY_LIFETIME_MS_MAX,
  ANTIBODY_REASON_BYTES_MAX,
  ANTIBODY_TYPES,
  antibodyId,
} from "./antibody.ts";
import { credentialIn } from "./credential.ts";
import { type OwnThings, protectedBy } from "./protected.ts";
import { malformed } from "./values.ts";

/** Why an entry may not be spread. */
export interface LintProblem {
  /** `shape`: no antibody, or one of the wrong form; the others say what it is. */
  readonly kind: "shape" | "credential" | "protected" | "rule" | "expired";
  /** One line for people. */
  readonly message: string;
}

/** What an antibody is held against. */
export interface LintOptions {
  /** Unix time in milliseconds. */
  readonly nowMs: number;
  readonly own: OwnThings;
  /** Judges the text of a rule (`badRule`): whoever takes no rules gives one that refuses. */
  readonly rule: (text: string) => string | undefined;
}

/** What is said of an antibody whose time is over. */
export const EXPIRED = "It has expired";

const KEYS = ["id", "type", "value", "action", "reason", "evidence", "madeMs", "expiresMs"];
const UTF8 = new TextEncoder();

/**
 * Judges an antibody, whoever it comes from: the hive before it spreads it, each agent before it
 * takes it.
 *
 * @param given What claims to be one.
 * @param options Time, things of one's own, judge of rules.
 * @returns What is wrong with it, or `undefined`.
 */
export function lintAntibody(given: unknown, options: LintOptions): LintProblem | undefined {
  const shape = shapeProblem(given);
  if (shape !== undefined) return { kind: "shape", message: shape };
  const antibody = given as Antibody;
  const { type, value, action, madeMs, expiresMs } = antibody;
  const { nowMs, own } = options;
  if (expiresMs <= nowMs) return { kind: "expired", message: EXPIRED };
  if (
    expiresMs - madeMs > ANTIBODY_LIFETIME_MS_MAX || expiresMs - nowMs > ANTIBODY_LIFETIME_MS_MAX
  ) {
    const days = ANTIBODY_LIFETIME_MS_MAX / 86_400_000;
    return { kind: "expired", message: `It would hold for over ${days} days` };
  }
  const form = malformed(antibody);
  if (form !== undefined) return { kind: "shape", message: form };
  const credential = credentialIn(antibody.reason) ??
    (type === "hash" ? undefined : credentialIn(value));
  if (credential !== undefined) {
    return { kind: "credential", message: `It looks like ${credential}` };
  }
  const hit = protectedBy(antibody, { action, own });
  if (hit !== undefined) return { kind: "protected", message: hit };
  const rule = type === "rule" ? options.rule(value) : undefined;
  return rule === undefined ? undefined : { kind: "rule", message: rule };
}

function shapeProblem(given: unknown): string | undefined {
  if (typeof given !== "object" || given === null) return "It is no object";
  const names = Object.keys(given);
  const { id, type, value, action, reason, evidence, madeMs, expiresMs } = given as Partial<
    Record<keyof Antibody, unknown>
  >;
  const isWhole = names.length === KEYS.length && KEYS.every((key) => names.includes(key)) &&
    typeof id === "string" && typeof value === "string" &&
    ANTIBODY_TYPES.some((one) => one === type) && ANTIBODY_ACTIONS.some((one) => one === action) &&
    isReason(reason) && isEvidence(evidence) && isTime(madeMs) && isTime(expiresMs);
  if (!isWhole) return "It has not the members of an antibody";
  return antibodyId(given as Antibody) === id ? undefined : "Its id is not that of its entry";
}

function isReason(given: unknown): boolean {
  return typeof given === "string" && UTF8.encode(given).length <= ANTIBODY_REASON_BYTES_MAX &&
    !/[\p{Cc}\p{Cf}]/u.test(given);
}

function isEvidence(given: unknown): boolean {
  return Array.isArray(given) && given.length >= 1 && given.length <= ANTIBODY_EVIDENCE_MAX &&
    given.every((id) => typeof id === "string" && /^[0-9a-f]{32}$/.test(id));
}

function isTime(given: unknown): boolean {
  return typeof given === "number" && Number.isSafeInteger(given) && given > 0;
}
