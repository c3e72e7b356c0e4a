import { encodeRecord, SOURCES } from "../../common/record/mod.ts";
import type { CorrelationRule, LogSource, RoleName, RuleInfo } from "../../common/sigma/mod.ts";
import type { Engine, Staging } from "../../wasm/engine/mod.ts";

/** Rules as the pipeline has them. */
export interface PipelineRules {
  /** Rule image for the engine. */
  readonly image: Uint8Array;
  /** SHA-256 of the image, 64 lower-case hexadecimal digits; empty = no rules. */
  readonly hash: string;
  /** Rules of the image, by their index. */
  readonly rules: readonly RuleInfo[];
  /** Correlations of the rules. */
  readonly correlations: readonly CorrelationRule[];
  /** Names of the fields of the image, by their number. */
  readonly fields: readonly string[];
  /** Distinct log sources; index = bit of a flat event. */
  readonly logSources: readonly LogSource[];
  /** Roles of processes, by the ids that records carry. */
  readonly roles: readonly RoleName[];
}

/** What taking over other rules came to. */
export interface Reloaded {
  readonly hash: string;
  /** Rules that are now in force. */
  readonly rules: number;
  /** The longest time that one step kept records waiting, in milliseconds. */
  readonly pauseMs: number;
}

interface Next {
  readonly rules: PipelineRules;
  readonly staging: Staging;
  pauseMs: number;
}

const NONE: PipelineRules = {
  image: new Uint8Array(0),
  hash: "",
  rules: [],
  correlations: [],
  fields: [],
  logSources: [],
  roles: [],
};

/** The rules that an engine runs, and those that are to take their place, between two batches. */
export class RulesInForce {
  readonly #engine: Engine;
  #now: PipelineRules;
  #next: Next | undefined;

  /**
   * @param engine The engine; `rules` are published to it.
   * @param rules Rules to begin with.
   * @throws {ImmuneError} `IMAGE_INVALID` when the engine refuses them.
   */
  constructor(engine: Engine, rules: PipelineRules = NONE) {
    if (rules.image.length > 0) engine.publish(rules.image);
    this.#engine = engine;
    this.#now = rules;
    this.#nameRoles();
  }

  /** Those under which a scan runs now. */
  get now(): PipelineRules {
    return this.#now;
  }

  /**
   * Name of a role.
   *
   * @param id Its id in records.
   */
  roleName(id: number): string | undefined {
    return this.#now.roles.find((role) => role.id === id)?.name;
  }

  /** True while others are on their way. */
  get isReloading(): boolean {
    return this.#next !== undefined;
  }

  /**
   * Begins to take over others; those that are on their way already are given up.
   *
   * @param rules The others.
   * @throws {ImmuneError} `IMAGE_INVALID` when they do not fit.
   */
  begin(rules: PipelineRules): void {
    this.#next = { rules, staging: this.#engine.stage(rules.image), pauseMs: 0 };
  }

  /**
   * Does one step of it, of about a millisecond.
   *
   * @returns What it came to, once the others are in force.
   * @throws {ImmuneError} `IMAGE_INVALID` when the engine refuses them; those in force stay.
   */
  step(): Reloaded | undefined {
    const next = this.#next;
    if (next === undefined) return undefined;
    const startedAt = performance.now();
    try {
      if (!next.staging.step()) return undefined;
      this.#engine.publishStaged(next.staging);
    } catch (error) {
      this.#next = undefined;
      throw error;
    } finally {
      next.pauseMs = Math.max(next.pauseMs, performance.now() - startedAt);
    }
    this.#next = undefined;
    this.#now = next.rules;
    this.#nameRoles();
    return { hash: next.rules.hash, rules: next.rules.rules.length, pauseMs: next.pauseMs };
  }

  /** The engine learns names as it learns everything: from records. */
  #nameRoles(): void {
    for (const record of roleRecords(this.#now.roles, 0n)) {
      this.#engine.batch.set(record);
      this.#engine.scan(record.length);
    }
  }
}

/**
 * Names of roles as context records, for the engine's table and for a journal segment.
 *
 * @param roles The roles.
 * @param timeNs Nanoseconds since boot.
 * @returns Records of kind `role`, one after the other.
 */
export function roleRecords(roles: readonly RoleName[], timeNs: bigint): Uint8Array[] {
  return roles.map(({ id, name }) =>
    encodeRecord("role", {
      header: { role: id, time_ns: timeNs, source: SOURCES.agent },
      slots: { name },
    })
  );
}
