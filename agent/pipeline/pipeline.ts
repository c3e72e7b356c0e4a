import {
  decodeRecord,
  decodeRecords,
  type EcsContext,
  type EcsDocument,
  ecsDocument,
  hasEcsForm,
  type RecordKey,
  type RecordView,
} from "../../common/record/mod.ts";
import type { Alert, Health, Loss, TierTally } from "../../common/wire/mod.ts";
import { LOSS_CAUSES, LOSSES_PER_BATCH_MAX } from "../../common/wire/mod.ts";
import { type Engine, type Hit, type Program, RULE_LISTED } from "../../wasm/engine/mod.ts";
import type { EnforcementPolicy } from "../enforce/policy.ts";
import { makeVerdictAlert } from "../enforce/verdict.ts";
import { makeIndicatorAlert } from "../indicators/alert.ts";
import type { IndicatorLookup } from "../indicators/lookup.ts";
import type { IndicatorMatch } from "../indicators/match.ts";
import { recordMatches } from "../indicators/records.ts";
import { HostCorrelation } from "./correlation.ts";
import { ALERTS_PER_BATCH_MAX, Findings, type FoundEvent } from "./findings.ts";
import { SequenceGaps } from "./gaps.ts";
import { ScanClock } from "./health.ts";
import type { FoldedRow, Sensor } from "../sensors/sensor.ts";
import { LossLedger } from "./losses.ts";
import { programOfRecord } from "./log_intake.ts";
import { judgeMade, type MadeRecord } from "./made.ts";
import type { RulesInForce } from "./rules_in_force.ts";
import { type Judged, Verdicts } from "./verdicts.ts";
import { DetachedBook } from "./detached.ts";
import type { SensorCounts } from "./sensor_file.ts";
import { TallyBook, TierBook } from "./tallies.ts";

export { ALERTS_PER_BATCH_MAX, CORRELATED_PER_BATCH_MAX } from "./findings.ts";

/** Records of the agent's own in one append; each is at most 24 KiB. */
const MADE_PER_APPEND_MAX = 40;

/** What a batch without hits comes to. */
const NOTHING_FOUND: Pick<Findings, "alerts" | "records" | "folded"> = Object.freeze({
  alerts: [],
  records: [],
  folded: 0,
});

/** Where what was seen goes to. */
export interface RecordSink {
  /** Appends whole records; what could not be kept is the sink's to count. */
  append(records: Uint8Array, about: { recordCount: number; losses: readonly Loss[] }): void;
  /** Appends alerts. */
  appendAlerts(alerts: readonly Alert[], records: readonly RecordView[]): void;
  /** Appends what was found after verdicts. */
  appendResults?(results: readonly Judged[]): void;
  /** Appends how the agent does, and what was lost since the last append. */
  appendHealth(health: Health, losses: readonly Loss[]): void;
  /** Appends what was folded. */
  appendFolded(rows: readonly FoldedRow[]): void;
}

/** What a pipeline is made of. */
export interface PipelineParts {
  readonly source: Pick<Sensor, "poll" | "stats" | "tables" | "label" | "programs" | "folded">;
  readonly engine: Engine;
  readonly sink?: RecordSink | undefined;
  /** Rules of the engine. */
  readonly rules: RulesInForce;
  /** Correlations of the rules. Default: without state of an earlier run. */
  readonly correlation?: HostCorrelation | undefined;
  /** Indicators in force, in the same engine. Default: none. */
  readonly indicators?: IndicatorLookup | undefined;
  /** Called for each match of an indicator that is an alert. */
  readonly onMatch?: ((match: IndicatorMatch) => void) | undefined;
  /** The enforcement policy in force. Default: none; verdicts are not looked for. */
  readonly enforcement?: (() => EnforcementPolicy) | undefined;
  /** Called, with a policy, for each program that ran, with the device of its file system. */
  readonly onProgram?: ((device: number) => void) | undefined;
  /** What each tier of enforcement in force did. Default: there are none. */
  readonly tiers?: (() => readonly TierTally[]) | undefined;
  /** Sensor epoch. */
  readonly epoch: number;
  /** What is known to be missing before the first record; travels with it. */
  readonly missing?: readonly Loss[] | undefined;
  /** Host, boot, clock and user names, as they are now. */
  readonly context: () => EcsContext;
  /** Called with all that the sensor has counted whenever it is told. Default: nobody asks. */
  readonly onCounted?: ((counted: SensorCounts) => void) | undefined;
  readonly onAlert: (alert: Alert) => void;
  /** Called for each event when given. */
  readonly onDocument?: ((document: EcsDocument) => void) | undefined;
}

/** How a pipeline brings its loss ledger up to date. */
export interface ReconcileOptions {
  /** It asks for each program of the source too, which takes a call each. Default true. */
  readonly withPrograms?: boolean;
  /** No record comes any more: a gap is a loss at once. Default false. */
  readonly isLast?: boolean;
}

/** Records, matched, masked, journaled: one call of {@linkcode Pipeline.step} a batch. */
export class Pipeline {
  readonly #parts: PipelineParts;
  readonly #correlation: HostCorrelation;
  readonly #verdicts: Verdicts | undefined;
  readonly #gaps = new SequenceGaps();
  readonly #ledger = new LossLedger();
  #pendingLosses: Loss[] = [];
  #records = 0;
  #alerts = 0;
  #masked = 0;
  #noted = 0;
  #madeSequence = 0;
  readonly #scanClock = new ScanClock();
  readonly #tallies = new TallyBook();
  readonly #tiers = new TierBook();
  readonly #detached = new DetachedBook();
  /** Counters at the last health record. */
  #told = { records: 0, alerts: 0, masked: 0 };

  /** @param parts Source, engine, sink and rules. */
  constructor(parts: PipelineParts) {
    this.#parts = parts;
    this.#correlation = parts.correlation ?? new HostCorrelation();
    this.#verdicts = parts.enforcement && new Verdicts(undefined, parts.onProgram);
    this.#pendingLosses.push(...parts.missing ?? []);
  }

  /** Records read so far. */
  get records(): number {
    return this.#records;
  }

  /** Alerts raised so far. */
  get alerts(): number {
    return this.#alerts;
  }

  /** Records in which key-like values were masked. */
  get masked(): number {
    return this.#masked;
  }

  /** Records lost so far, by any cause, and alerts that were folded. */
  get lost(): number {
    return this.#ledger.total + this.#noted;
  }

  /**
   * Reads one batch and takes it through.
   *
   * @param timeoutMs Longest wait for the first record, in milliseconds.
   * @returns Bytes read; 0 when nothing came.
   */
  step(timeoutMs: number): number {
    const { source, engine } = this.#parts;
    const length = source.poll(engine.batch, timeoutMs);
    if (length > 0) this.#process(length);
    if ((this.#verdicts?.waiting ?? 0) > 0) this.#judge(this.#verdicts?.overdue() ?? []);
    return length;
  }

  /**
   * Takes records that the agent made itself: judged, journaled, told. To be called between batches.
   *
   * @param makers Each makes one, given its number.
   * @returns How many were kept.
   */
  takeMade(makers: readonly ((sequence: number) => MadeRecord)[]): number {
    if (makers.length === 0) return 0;
    const { engine, rules: { now: rules }, sink, onDocument } = this.#parts;
    this.#correlation.use(rules);
    const base = this.#context();
    const findings = this.#noFindings(base);
    const kept: Uint8Array[] = [];
    for (const make of makers) {
      const made = make(this.#madeSequence + 1);
      const record = decodeRecord(made.bytes);
      const context = { ...base, ...programOfRecord(record, engine) };
      const found = judgeMade(made, { engine, rules, context });
      if (made.onlyIfFound && found.length === 0) continue;
      this.#madeSequence++;
      kept.push(made.bytes);
      const key = this.#keyOf(record, context);
      const event = (): FoundEvent => ({ document: ecsDocument(record, context), key });
      for (const rule of found) findings.take(rule, { record, event });
      onDocument?.(ecsDocument(record, context));
    }
    if (findings.folded > 0) this.#note("alerts_folded", findings.folded);
    this.#keepMade(kept, sink);
    if (findings.alerts.length > 0) this.#raise(findings);
    this.#correlation.keepSightings();
    return kept.length;
  }

  #keepMade(kept: readonly Uint8Array[], sink: RecordSink | undefined): void {
    for (let from = 0; from < kept.length; from += MADE_PER_APPEND_MAX) {
      const part = kept.slice(from, from + MADE_PER_APPEND_MAX);
      const losses = this.#pendingLosses.splice(0, LOSSES_PER_BATCH_MAX);
      sink?.append(joined(part), { recordCount: part.length, losses });
    }
    this.#records += kept.length;
  }

  /**
   * Puts down that something is missing; it travels with the next batch.
   *
   * @param losses Entries.
   */
  tellLosses(losses: readonly Loss[]): void {
    this.#pendingLosses.push(...losses);
  }

  /**
   * Puts down that programs were found not attached: what they would have told is missing.
   *
   * @param programs Names; none when it is not known which.
   */
  tellDetached(programs: readonly string[]): void {
    this.#detached.add(programs);
    const cause = LOSS_CAUSES.not_attached;
    const count = Math.max(1, programs.length);
    // How much was missed is not known: at least a record of each.
    this.tellLosses([{ cause, kind: 0, source: 0, certain: false, count, first: 0 }]);
  }

  /**
   * Brings the loss ledger up to date; what is new travels with the next batch.
   *
   * @param options What it is to look at.
   * @returns What was lost since the last call.
   */
  reconcile({ withPrograms = true, isLast = false }: ReconcileOptions = {}): readonly Loss[] {
    const { source } = this.#parts;
    const losses = [
      ...this.#ledger.reconcile(source.stats(), this.#gaps, { isLast }),
      ...(withPrograms ? this.#ledger.reconcilePrograms(source.programs?.() ?? []) : []),
    ];
    this.#pendingLosses.push(...losses);
    this.#fold();
    return losses;
  }

  /** Puts down how the agent does, since the last call; nothing without a sink. */
  tellHealth(): void {
    const { sink, source, rules: { now: rules }, onCounted } = this.#parts;
    const stats = source.stats();
    const rows = [...stats, ...source.tables?.() ?? []];
    const programs = source.programs?.() ?? [];
    onCounted?.({ rows, programs, detached: this.#detached.all });
    if (sink === undefined) return;
    const counted = { records: this.#records, alerts: this.#alerts, masked: this.#masked };
    sink.appendHealth({
      rules: rules.rules.length,
      ruleSet: rules.hash,
      records: counted.records - this.#told.records,
      alerts: counted.alerts - this.#told.alerts,
      masked: counted.masked - this.#told.masked,
      ...this.#scanClock.take(),
      tallies: this.#tallies.take(stats),
      missed: this.#tallies.takeMissed(programs),
      tiers: this.#tiers.take(this.#parts.tiers?.() ?? []),
      places: this.#tallies.takePlaces(rows),
      detached: this.#detached.take(),
    }, this.#pendingLosses.splice(0, LOSSES_PER_BATCH_MAX));
    this.#told = counted;
  }

  /** Says whose records were folded. What is over one call's room comes with the next one. */
  #fold(): void {
    const rows = this.#parts.source.folded?.() ?? [];
    if (rows.length > 0) this.#parts.sink?.appendFolded(rows);
  }

  #process(length: number): void {
    const { engine, sink, onDocument, rules } = this.#parts;
    const malformedBefore = engine.counter("bytes_malformed");
    const droppedBefore = engine.counter("hits_dropped");
    const startedAt = performance.now();
    const found = engine.scan(length);
    this.#scanClock.add(performance.now() - startedAt);
    this.#label();
    const whole = length - (engine.counter("bytes_malformed") - malformedBefore);
    // From here on nothing sees the values that were masked.
    this.#masked += engine.mask(whole);
    const records = engine.batch.subarray(0, whole);
    const recordCount = this.#gaps.observe(records);
    this.#records += recordCount;
    this.#correlation.use(rules.now);
    const raised = found.length > 0 ? this.#findings(found) : NOTHING_FOUND;
    const folded = raised.folded + engine.counter("hits_dropped") - droppedBefore;
    if (folded > 0) this.#note("alerts_folded", folded);
    if (whole < length) this.#note("malformed", 1);
    // A batch of the journal holds records: without any, what was lost waits for the next one.
    if (recordCount === 0) return;
    // Taken also when nobody keeps them: they must not pile up.
    const losses = this.#pendingLosses.splice(0, LOSSES_PER_BATCH_MAX);
    sink?.append(records, { recordCount, losses });
    if (raised.alerts.length > 0) this.#raise(raised);
    if (this.#verdicts !== undefined) this.#judge(this.#verdicts.take(records));
    if (onDocument !== undefined) this.#describe(records, onDocument);
  }

  /** Alerts of verdicts, as their ends are known. */
  #judge(judged: readonly Judged[]): void {
    if (judged.length === 0) return;
    const told = judged.slice(0, ALERTS_PER_BATCH_MAX);
    if (told.length < judged.length) this.#note("alerts_folded", judged.length - told.length);
    const { epoch, sink, enforcement } = this.#parts;
    const context = this.#context();
    const { hostId, bootId } = context;
    const alerts = told.map(({ verdict, finding }) => {
      const document = ecsDocument(verdict, {
        ...context,
        process: this.#program(verdict.pid, verdict.startTimeNs),
        parent: this.#program(verdict.parentPid, verdict.parentStartTimeNs),
      });
      const { source, sequence } = verdict;
      const record = { hostId, bootId, epoch, source, sequence };
      return makeVerdictAlert({ document, record, finding, policy: enforcement?.() });
    });
    sink?.appendResults?.(judged);
    this.#raise({ alerts, records: told.map(({ verdict }) => verdict) });
  }

  /** Tells the kernel the labels that it does not have, for the records to come. */
  #label(): void {
    const labels = this.#parts.engine.takeLabels();
    if (labels.length > 0) this.#parts.source.label?.(labels);
  }

  /** Alerts of the rules' hits, and of the correlations that they complete. */
  #findings(hits: readonly Hit[]): Findings {
    const context = this.#context();
    const findings = this.#noFindings(context);
    const { engine } = this.#parts;
    for (const hit of hits) {
      if (hit.rule === RULE_LISTED) {
        this.#listed(hit, { context, findings });
        continue;
      }
      const record = decodeRecord(engine.batch, hit.offset);
      findings.take(hit.rule, { record, event: () => this.#eventOf(hit, { context, record }) });
    }
    if (hits.length > 0) this.#correlation.keepSightings();
    return findings;
  }

  #noFindings({ wallOffsetNs }: EcsContext): Findings {
    const { rules: { now: rules } } = this.#parts;
    return new Findings({ rules, correlation: this.#correlation, wallOffsetNs });
  }

  /** Alerts of the listed values that a record really has: the filter alone raises none. */
  #listed(
    hit: Hit,
    { context, findings }: { readonly context: EcsContext; readonly findings: Findings },
  ): void {
    const { engine, indicators, onMatch } = this.#parts;
    if (indicators === undefined) return;
    const record = decodeRecord(engine.batch, hit.offset);
    for (const match of recordMatches(record, { lookup: indicators, nowMs: Date.now() })) {
      onMatch?.(match);
      findings.add(() => {
        const { document, key } = this.#eventOf(hit, { context, record });
        return makeIndicatorAlert(match, { document, record: key });
      }, record);
    }
  }

  /** The event of a hit, and its key. */
  #eventOf(
    hit: Hit,
    { context, record }: { readonly context: EcsContext; readonly record: RecordView },
  ): FoundEvent {
    const { engine } = this.#parts;
    const document = ecsDocument(record, {
      ...context,
      process: engine.program(hit.program),
      parent: engine.program(hit.parentProgram),
    });
    return { document, key: this.#keyOf(record, context) };
  }

  #keyOf({ source, sequence }: RecordView, { hostId, bootId }: EcsContext): RecordKey {
    return { hostId, bootId, epoch: this.#parts.epoch, source, sequence };
  }

  #raise({ alerts, records }: Pick<Findings, "alerts" | "records">): void {
    const { sink, onAlert } = this.#parts;
    this.#alerts += alerts.length;
    sink?.appendAlerts(alerts, records);
    for (const alert of alerts) onAlert(alert);
  }

  #describe(records: Uint8Array, onDocument: (document: EcsDocument) => void): void {
    const context = this.#context();
    for (const record of decodeRecords(records)) {
      if (!hasEcsForm(record.kindId)) continue;
      const process = this.#program(record.pid, record.startTimeNs);
      const parent = this.#program(record.parentPid, record.parentStartTimeNs);
      onDocument(ecsDocument(record, { ...context, process, parent }));
    }
  }

  #context(): EcsContext {
    const { context, rules, engine } = this.#parts;
    return {
      ...context(),
      containerId: (id) => engine.container(id),
      roleName: (id) => rules.roleName(id),
    };
  }

  /** Program of a process, with its arguments masked. */
  #program(pid: number, startTimeNs: bigint): Program | undefined {
    const { engine } = this.#parts;
    const row = engine.process(pid, startTimeNs);
    return row === undefined ? undefined : engine.program(row.program);
  }

  /** One entry a cause, so that a source of nothing but malformed bytes fills no memory. */
  #note(cause: "alerts_folded" | "malformed", count: number): void {
    this.#noted += count;
    const number = LOSS_CAUSES[cause];
    const waiting = this.#pendingLosses.findIndex((loss) => loss.cause === number);
    const before = this.#pendingLosses[waiting];
    if (before !== undefined) {
      this.#pendingLosses[waiting] = { ...before, count: before.count + count };
      return;
    }
    // Bytes that are no record may have been several.
    const certain = cause === "alerts_folded";
    this.#pendingLosses.push({ cause: number, kind: 0, source: 0, certain, count, first: 0 });
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
