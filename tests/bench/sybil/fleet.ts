import { antibodyRuleId } from "../../../common/herd/antibody.ts";
import { MemoryLedger } from "../../../hive/herd/_memory_ledger_test_support.ts";
import { proposalOf } from "../../../hive/herd/_herd_test_support.ts";
import {
  Herd,
  HERD_LIMITS,
  type HerdCall,
  type HerdGives,
  type HerdLimits,
  HerdRefusal,
  type HerdTakes,
  type Standing,
} from "../../../hive/herd/mod.ts";
import { randomNumbers } from "../_random.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Hosts of the honest fleet, all of the genesis set. */
export const HONEST = 100;
/** How long the attacker has, in days. */
export const DAYS = 90;
/** Of a hundred honest agents a day, those that see what one bought identity does and report it. */
const WATCHFUL_PERCENT = 1;
/** A file that a third of the hosts run every day: what a false antibody does harm by. */
const TARGET = "/opt/models/bin/serve";
const HOSTS_WITH_TARGET_PERCENT = 33;

/** What is tried. */
export interface Attack {
  readonly limits: Partial<HerdLimits>;
  /** Identities that the attacker has enrolled: tokens that were bought or stolen. */
  readonly bought: number;
  /** Honest agents that vouch for whoever asks. */
  readonly careless: number;
  readonly seed: number;
}

/** What came of it. */
export interface Outcome {
  /** Day on which the false antibody was published; `undefined`: not within {@linkcode DAYS}. */
  readonly day: number | undefined;
  /** Honest hosts that had it in force at some time, of {@linkcode HONEST}. */
  readonly hostsHit: number;
}

/** A fleet with bought identities in it, run by the very rules of the hive. */
export class AttackedFleet {
  readonly #ledger = new MemoryLedger();
  readonly #herd: Herd;
  readonly #limits: HerdLimits;
  readonly #honest: readonly string[];
  readonly #bought: readonly string[];
  readonly #random: (bound: number) => number;
  readonly #attack: Attack;
  /** Bought identities that did something which can be seen. */
  readonly #seen = new Set<string>();
  #nowMs = Date.UTC(2026, 0, 1);

  constructor(attack: Attack) {
    this.#attack = attack;
    this.#limits = { ...HERD_LIMITS, ...attack.limits };
    this.#herd = new Herd({ ledger: this.#ledger, limits: this.#limits });
    this.#random = randomNumbers(attack.seed);
    this.#honest = this.#join("honest", HONEST);
    this.#herd.trust.setGenesis(this.#honest, this.#nowMs);
    this.#bought = this.#join("bought", attack.bought);
  }

  /** Runs the attack to its end. */
  run(): Outcome {
    for (let day = 0; day < DAYS; day++) {
      this.#vouchDay();
      const id = this.#publish();
      if (id !== undefined) return { day, hostsHit: this.#spread(id) };
      this.#reportDay();
      this.#nowMs += DAY_MS;
    }
    return { day: undefined, hostsHit: 0 };
  }

  #join(prefix: string, count: number): readonly string[] {
    const ids = Array.from({ length: count }, (_, number) => `${prefix} ${number}`);
    for (const id of ids) this.#ledger.join(id, { nowMs: this.#nowMs });
    return ids;
  }

  /** Everybody who is on the attacker's side vouches as much as may be, for whoever lacks least. */
  #vouchDay(): void {
    const careless = this.#honest.slice(0, this.#attack.careless);
    const vouchers = [...careless, ...this.#bought].filter((id) => this.#standing(id).counts);
    for (const by of vouchers) {
      const wanting = this.#wanting();
      for (const of of wanting) {
        const refusal = this.#say("vouch", { by, of });
        if (refusal === undefined && by.startsWith("bought")) this.#seen.add(by);
        if (refusal === "budget" || refusal === "probation") break;
      }
    }
  }

  /** Bought identities that do not count; those first that have most vouchers. */
  #wanting(): readonly string[] {
    return this.#bought
      .map((id) => this.#standing(id))
      .filter(({ counts, state }) => !counts && state !== "suspect")
      .sort((a, b) => b.vouchers - a.vouchers)
      .map(({ agentId }) => agentId);
  }

  #standing(agentId: string): Standing {
    return this.#herd.trust.standing(agentId, this.#nowMs);
  }

  /** Publishes the false antibody as soon as there are enough who say that they saw it. */
  #publish(): string | undefined {
    const voters = this.#bought.filter((id) => this.#standing(id).counts);
    if (voters.length < this.#limits.quorumMin) return undefined;
    if (voters.length < this.#herd.trust.quorum(this.#nowMs)) return undefined;
    let id: string | undefined;
    for (const by of voters) {
      const alertId = this.#forgeAlert(by);
      const row = id === undefined
        ? this.#run("propose", { ...proposalOf(TARGET, [alertId]), by })
        : this.#run("support", { by, antibodyId: id, alertId });
      id = row.antibody.id;
      if (row.stage === "canary") return id;
    }
    return undefined;
  }

  /** An agent makes up what it likes: its alerts are evidence only as far as it is trusted. */
  #forgeAlert(agentId: string): string {
    const alertId = this.#random(2 ** 30).toString(16).padStart(32, "0");
    const hostId = this.#ledger.member(agentId)?.hostId ?? "";
    const texts = new Set([TARGET]);
    const timeMs = this.#nowMs;
    this.#ledger.addEvidence({ alertId, agentId, hostId, ruleId: "forged", timeMs, texts });
    return alertId;
  }

  #reportDay(): void {
    for (const of of this.#seen) {
      for (const by of this.#honest.slice(this.#attack.careless)) {
        if (this.#random(100) < WATCHFUL_PERCENT) this.#say("report", { by, of });
      }
    }
  }

  /** Lets the antibody go its way for a day, an hour at a time, and hosts match it. */
  #spread(id: string): number {
    const hit = new Set<string>();
    for (let hour = 0; hour < 24; hour++) {
      const having = this.#honest.filter((agent) =>
        this.#run("inForce", agent).antibodies.length > 0
      );
      for (const agentId of having) {
        hit.add(agentId);
        const number = Number(agentId.split(" ")[1]);
        if (number % 100 >= HOSTS_WITH_TARGET_PERCENT) continue;
        const hostId = this.#ledger.member(agentId)?.hostId ?? "";
        this.#ledger.addMatch(antibodyRuleId(id), { hostId, timeMs: this.#nowMs });
      }
      this.#nowMs += DAY_MS / 24;
      this.#run("tick", undefined);
    }
    return hit.size;
  }

  #run<C extends HerdCall>(call: C, given: HerdTakes<C>): HerdGives<C> {
    return this.#herd.run(call, given, { nowMs: this.#nowMs });
  }

  #say(
    call: "vouch" | "report",
    said: { readonly by: string; readonly of: string },
  ): string | undefined {
    try {
      this.#run(call, said);
      return undefined;
    } catch (error) {
      if (error instanceof HerdRefusal) return error.reason;
      throw error;
    }
  }
}
