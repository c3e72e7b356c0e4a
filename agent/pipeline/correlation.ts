import {
  type EcsDocument,
  type RecordKey,
  type RecordView,
  SOURCES,
} from "../../common/record/mod.ts";
import {
  type CorrelationMatch,
  Correlator,
  type CorrelatorStats,
  type SilentMembers,
  silentMembers,
} from "../../common/sigma/correlation/mod.ts";
import { fieldValue, type JsonObject } from "../../common/sigma/event_value.ts";
import type { PipelineRules } from "./rules_in_force.ts";
import type { SightingsFile } from "./sightings_file.ts";

/** A rule's hit on a record. */
export interface CorrelatedHit {
  /** The rule's place in the rule set. */
  readonly rule: number;
  readonly record: RecordView;
  readonly key: RecordKey;
  /** The event, masked already. */
  readonly document: EcsDocument;
  /** Unix time in nanoseconds = boot time + this. */
  readonly wallOffsetNs: bigint;
}

/** What correlation on a host works with. */
export interface HostCorrelationOptions {
  /** Where `first_seen` remembers; without it, in memory alone. */
  readonly sightings?: SightingsFile | undefined;
  /** Windows of the last run, as `save` gave them. */
  readonly saved?: Uint8Array<ArrayBuffer> | undefined;
  /** Told when they cannot be used. */
  readonly onWarning?: (message: string) => void;
}

const NS_PER_US = 1000n;
const US_PER_MS = 1000;

/** The host's correlations, over the hits of its rules. */
export class HostCorrelation {
  readonly #options: HostCorrelationOptions;
  #rules: PipelineRules | undefined;
  #correlator: Correlator;
  #silent: SilentMembers;

  /** @param options State of the last run. */
  constructor(options: HostCorrelationOptions = {}) {
    this.#options = options;
    this.#correlator = this.#made([]);
    this.#silent = silentMembers([]);
  }

  /** What it holds and did since the rules came into force. */
  get stats(): CorrelatorStats {
    return this.#correlator.stats;
  }

  /**
   * Takes over the rules in force. Windows of correlations that stay the same stay.
   *
   * @param rules The rules.
   */
  use(rules: PipelineRules): void {
    if (rules === this.#rules) return;
    const saved = this.#rules === undefined ? this.#options.saved : this.#correlator.save();
    this.#rules = rules;
    this.#correlator = this.#made(rules.correlations);
    this.#silent = silentMembers(rules.correlations);
    if (saved === undefined) return;
    try {
      this.#correlator.restore(saved);
    } catch (error) {
      this.#options.onWarning?.(error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * Tells whether hits of a rule are no alerts.
   *
   * @param rule Its place in the rule set.
   */
  isSilent(rule: number): boolean {
    return this.#silent.rules.has(rule);
  }

  /**
   * Tells whether a correlation looks at hits of a rule.
   *
   * @param rule Its place in the rule set.
   */
  wants(rule: number): boolean {
    return this.#correlator.wants({ kind: "rule", index: rule });
  }

  /**
   * Takes a hit.
   *
   * @param hit The hit.
   * @returns What it completes and is an alert.
   */
  take(hit: CorrelatedHit): readonly CorrelationMatch[] {
    const { rule, record, key, document, wallOffsetNs } = hit;
    const event: JsonObject = { ...document };
    return this.#correlator.take({
      kind: "rule",
      index: rule,
      timeMs: Number((record.timeNs + wallOffsetNs) / NS_PER_US) / US_PER_MS,
      // A line of a log from before the boot: there is no such time on the boot clock.
      isBefore: record.timeNs === 0n && record.source === SOURCES.logs,
      id: `${key.bootId}/${key.epoch}/${key.source}/${key.sequence}`,
      field: (name) => fieldValue(event, name),
    }).filter(({ index }) => !this.#silent.correlations.has(index));
  }

  /** Puts down what `first_seen` learned since the last call. */
  keepSightings(): void {
    this.#options.sightings?.append();
  }

  /**
   * Lets go of windows that are over.
   *
   * @param nowMs Unix time in milliseconds.
   */
  expire(nowMs: number): void {
    this.#correlator.expire(nowMs);
  }

  /** All windows as bytes; before there are rules, those of the last run. */
  save(): Uint8Array<ArrayBuffer> | undefined {
    return this.#rules === undefined ? this.#options.saved : this.#correlator.save();
  }

  #made(correlations: PipelineRules["correlations"]): Correlator {
    const sightings = this.#options.sightings?.sightings ?? this.#correlator?.sightings;
    return new Correlator(correlations, {
      scope: "host",
      ...(sightings === undefined ? {} : { sightings }),
    });
  }
}
