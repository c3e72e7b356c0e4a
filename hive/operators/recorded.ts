import type { AuditDetail, AuditFact, AuditTrail } from "../../common/audit/mod.ts";
import { type Clock, ImmuneError } from "../../common/config/mod.ts";
import { actorOf, type Principal } from "./principal.ts";

/** What is about to be done. */
export interface Act {
  readonly principal: Principal;
  /** Words with dots: `user.add`. */
  readonly action: string;
  readonly object?: string;
  readonly detail?: AuditDetail;
}

/**
 * Does something that has to be recorded: first the entry, then the act; an act that fails has a
 * second entry.
 *
 * @param audit Where to.
 * @param act Who does what.
 * @param work Does it.
 * @returns What it gives.
 * @throws {ImmuneError} `AUDIT_UNWRITABLE`, and then nothing was done; else what `work` throws.
 */
// deno-lint-ignore immune/argument-count -- where, what, how
export async function recorded<T>(
  audit: AuditTrail,
  act: Act,
  work: () => Promise<T>,
): Promise<T> {
  const { principal, ...rest } = act;
  const fact = { ...rest, actor: actorOf(principal) };
  await audit.append({ ...fact, decision: "allowed" });
  try {
    return await work();
  } catch (error) {
    const code = error instanceof ImmuneError ? error.code : "INTERNAL";
    const detail = { ...act.detail, code };
    await audit.append({ ...fact, decision: "failed", detail }).catch(() => {});
    throw error;
  }
}

/** Refusals that are recorded within a window; more are only counted. */
export const REFUSALS_RECORDED_MAX = 60;
/** Window of recorded refusals, in milliseconds. */
export const REFUSALS_WINDOW_MS = 60_000;

/**
 * Records what was refused, but only so much of it: whoever tries often must not push the decisions
 * of others out of a bounded log.
 */
export class RefusalTrail {
  readonly #audit: AuditTrail;
  readonly #clock: Clock;
  #endsMs = 0;
  #recorded = 0;
  /** Refusals since the last entry that were only counted. */
  #unrecorded = 0;

  /**
   * @param audit Where to.
   * @param clock Tells the time.
   */
  constructor(audit: AuditTrail, clock: Clock) {
    this.#audit = audit;
    this.#clock = clock;
  }

  /**
   * Records a refusal. One that cannot be recorded stays refused.
   *
   * @param fact Who was refused what, and why.
   */
  async record(fact: Omit<AuditFact, "decision">): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= this.#endsMs) {
      this.#endsMs = nowMs + REFUSALS_WINDOW_MS;
      this.#recorded = 0;
    }
    if (this.#recorded >= REFUSALS_RECORDED_MAX) {
      this.#unrecorded++;
      return;
    }
    this.#recorded++;
    const unrecorded = this.#unrecorded;
    this.#unrecorded = 0;
    const detail = unrecorded === 0 ? fact.detail : { ...fact.detail, unrecorded };
    const entry: AuditFact = { ...fact, decision: "refused", ...(detail && { detail }) };
    await this.#audit.append(entry).catch(() => void (this.#unrecorded += unrecorded + 1));
  }
}
