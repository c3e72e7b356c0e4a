import { createHash } from "node:crypto";
import { ImmuneError } from "../../common/config/errors.ts";
import { MemoryLedger } from "./_memory_ledger_test_support.ts";
import type { Proposal } from "./antibodies.ts";
import { Herd, type HerdCall, type HerdGives, type HerdTakes } from "./herd.ts";
import { HERD_LIMITS, type HerdLimits } from "./limits.ts";
import { HerdRefusal } from "./refusal.ts";

/** A day, in milliseconds. */
export const DAY_MS = 24 * 60 * 60 * 1000;
/** Where the time of a test starts. */
export const START_MS = Date.UTC(2026, 10, 22, 12);

/** A herd in memory, whose time stands still until it is told to go on. */
export class TestHerd {
  readonly ledger = new MemoryLedger();
  readonly herd: Herd;
  nowMs = START_MS;
  #alerts = 0;

  constructor(limits: Partial<HerdLimits> = {}) {
    this.herd = new Herd({ ledger: this.ledger, limits: { ...HERD_LIMITS, ...limits } });
  }

  /** Lets agents join, named by their prefix and number. */
  join(prefix: string, count: number): readonly string[] {
    const ids = Array.from({ length: count }, (_, number) => `${prefix}${number}`);
    for (const id of ids) this.ledger.join(id, { nowMs: this.nowMs });
    return ids;
  }

  /** Agents of a genesis set, who have been there for long. */
  elders(count: number): readonly string[] {
    const ids = this.join("elder", count);
    this.herd.trust.setGenesis(ids, this.nowMs);
    return ids;
  }

  days(count: number): void {
    this.nowMs += count * DAY_MS;
  }

  run<C extends HerdCall>(call: C, given: HerdTakes<C>): HerdGives<C> {
    return this.herd.run(call, given, { nowMs: this.nowMs });
  }

  /** Why a call is refused; `undefined` when it is taken. */
  refusal<C extends HerdCall>(call: C, given: HerdTakes<C>): string | undefined {
    try {
      this.run(call, given);
      return undefined;
    } catch (error) {
      if (error instanceof HerdRefusal) return error.reason;
      if (error instanceof ImmuneError) return `${error.code}: ${error.message}`;
      throw error;
    }
  }

  trust(agentId: string): number {
    return this.herd.trust.standing(agentId, this.nowMs).trust;
  }

  /** An alert of an agent whose event has a text. */
  alert(agentId: string, text: string): string {
    const alertId = createHash("sha256").update(`alert ${this.#alerts++}`).digest("hex")
      .slice(0, 32);
    const hostId = this.ledger.member(agentId)?.hostId ?? "";
    this.ledger.addEvidence({
      alertId,
      agentId,
      hostId,
      ruleId: "a-rule",
      timeMs: this.nowMs,
      texts: new Set([text]),
    });
    return alertId;
  }

  /** Proposes to watch a path, by agents that have it in an alert. */
  propose(by: string, path: string, more: Partial<Proposal> = {}): string {
    return this.run("propose", { ...proposalOf(path, [this.alert(by, path)]), ...more, by })
      .antibody.id;
  }

  support(by: string, antibodyId: string): void {
    const value = this.ledger.antibody(antibodyId)?.antibody.value ?? "";
    this.run("support", { by, antibodyId, alertId: this.alert(by, value) });
  }

  stage(antibodyId: string): string | undefined {
    return this.ledger.antibody(antibodyId)?.stage;
  }
}

/** A proposal to block a path for a week. */
export function proposalOf(path: string, evidence: readonly string[]): Proposal {
  return {
    entry: { type: "path", value: path },
    action: "block",
    reason: "seen in an attack",
    evidence,
    lifetimeMs: 7 * DAY_MS,
  };
}
