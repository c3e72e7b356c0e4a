import type { EcsDocument, RecordKey, RecordView } from "../../common/record/mod.ts";
import type { Alert } from "../../common/wire/mod.ts";
import { makeAlert, makeCorrelationAlert } from "./alert.ts";
import type { HostCorrelation } from "./correlation.ts";
import type { PipelineRules } from "./rules_in_force.ts";

/** Most alerts that one batch may raise; more are counted as folded. */
export const ALERTS_PER_BATCH_MAX = 1024;
/** Most hits of one batch that are correlated; more are counted as folded. */
export const CORRELATED_PER_BATCH_MAX = 4096;

/** The event of a hit, and its key. */
export interface FoundEvent {
  readonly document: EcsDocument;
  readonly key: RecordKey;
}

/** What hits of one batch come to. */
export interface FindingsOptions {
  readonly rules: PipelineRules;
  /** Of these rules. */
  readonly correlation: HostCorrelation;
  /** Unix time in nanoseconds = boot time + this. */
  readonly wallOffsetNs: bigint;
}

/** Alerts of one batch, each with the record that it is for. */
export class Findings {
  readonly alerts: Alert[] = [];
  readonly records: RecordView[] = [];
  readonly #options: FindingsOptions;
  #folded = 0;
  #correlated = 0;

  /** @param options Rules and correlations in force. */
  constructor(options: FindingsOptions) {
    this.#options = options;
  }

  /** Alerts and hits that there was no room for. */
  get folded(): number {
    return this.#folded;
  }

  /**
   * Takes a rule's hit: the alert of the rule, and those of the correlations that it completes.
   *
   * @param place The rule's place in the rule set.
   * @param hit The record, and its event, which is made when it is needed.
   */
  take(
    place: number,
    { record, event }: { readonly record: RecordView; readonly event: () => FoundEvent },
  ): void {
    const { rules, correlation, wallOffsetNs } = this.#options;
    const rule = rules.rules[place];
    if (rule === undefined) return;
    const isSilent = correlation.isSilent(place);
    const isCorrelated = correlation.wants(place) && this.#correlated < CORRELATED_PER_BATCH_MAX;
    if (!isCorrelated && (isSilent || this.alerts.length >= ALERTS_PER_BATCH_MAX)) {
      this.#folded++;
      return;
    }
    const { document, key } = event();
    const finding = { ruleSet: rules, ruleSetHash: rules.hash, document, record: key };
    if (!isSilent) this.add(() => makeAlert({ ...finding, rule }), record);
    if (!isCorrelated) return;
    this.#correlated++;
    for (const match of correlation.take({ rule: place, record, key, document, wallOffsetNs })) {
      this.add(() => makeCorrelationAlert(match, finding), record);
    }
  }

  /**
   * Takes an alert, or counts it as folded.
   *
   * @param make Makes it.
   * @param record The record that it is for.
   */
  add(make: () => Alert, record: RecordView): void {
    if (this.alerts.length >= ALERTS_PER_BATCH_MAX) {
      this.#folded++;
      return;
    }
    this.alerts.push(make());
    this.records.push(record);
  }
}
