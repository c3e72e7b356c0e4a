import { State } from "../../common/config/state.ts";
import { Journal, type JournalOptions } from "../../common/journal/mod.ts";
import {
  decodeRecord,
  decodeRecords,
  type EcsContext,
  encodeRecord,
  KINDS,
  SOURCES,
} from "../../common/record/mod.ts";
import type { RuleSet } from "../../common/sigma/mod.ts";
import { type Alert, type BatchInfo } from "../../common/wire/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { makeIndicatorAlert } from "../indicators/alert.ts";
import type { LoadedIndicators } from "../indicators/messages.ts";
import { makeAlert, makeCorrelationAlert } from "./alert.ts";
import { contextBatches } from "./context.ts";
import { flatDocument } from "./flat_document.ts";
import { statedTimeMs } from "./flat_event.ts";
import { openInput } from "./input.ts";
import { JournalSink } from "./journal_sink.ts";
import { Pipeline } from "./pipeline.ts";
import { RulesInForce } from "./rules_in_force.ts";
import { eachRecordedBatch } from "./recording.ts";
import {
  lookupOf,
  type ReplayFinding,
  replayLines,
  type ReplayOptions,
  type ReplaySummary,
} from "./replay_lines.ts";
import { USER_KIND_FIRST } from "../../common/record/bounds.ts";

/** What a replay into a journal works with. */
export interface ReplayJournalOptions {
  readonly ruleSet: RuleSet;
  /** Indicators to look for. Default: none. */
  readonly indicators?: LoadedIndicators | undefined;
  /** State folder of an enrolled agent that does not run. */
  readonly state: string;
  readonly journal: Pick<JournalOptions, "segmentBytes" | "totalBytes">;
  readonly hostName: string;
  /** Where the journal publishes what is on the disk: 8 bytes. */
  readonly durable: SharedArrayBuffer;
  readonly onAlert: (alert: Alert) => void;
  readonly onWarning: (message: string) => void;
  readonly onProblem: ReplayOptions["onProblem"];
}

/** Kinds of user space that are taken from a recording: what the rules need to know. */
const CONTEXT_KINDS: ReadonlySet<number> = new Set(
  [KINDS.process, KINDS.user, KINDS.cgroup, KINDS.role, KINDS.rule_set].map(({ id }) => id),
);
const NO_BOOT = "0".repeat(32);
const NS_PER_MS = 1_000_000n;

/**
 * Runs recorded events through the rules into an agent's own journal, from where they are delivered
 * like events of its sensor: as this host's, at the time of the recording. Alerts that a recording
 * holds are left out, for the rules judge its events anew. Of NDJSON only the alerts are kept: its
 * events have no form that a journal holds.
 */
export class ReplayJournal implements Disposable {
  readonly #options: ReplayJournalOptions;
  readonly #held: DisposableStack;
  readonly #journal: Journal;
  readonly #sink: JournalSink;
  readonly #engine: Engine;
  readonly #rules: RulesInForce;
  readonly #epoch: number;
  #context: EcsContext;

  private constructor(options: ReplayJournalOptions, engine: Engine) {
    using held = new DisposableStack();
    this.#options = options;
    this.#engine = engine;
    this.#rules = new RulesInForce(engine, options.ruleSet);
    const { state: folder, ruleSet, hostName, durable, onWarning } = options;
    const state = held.use(State.open(folder));
    this.#epoch = state.nextEpoch();
    this.#context = { hostId: state.hostId(), hostName, bootId: NO_BOOT, wallOffsetNs: 0n };
    this.#journal = held.use(Journal.open(state.paths.journal, {
      ...options.journal,
      publishTo: new BigInt64Array(durable),
      context: () => contextBatches({ engine, users: new Map(), rules: ruleSet, timeNs: 0n }),
    }));
    this.#sink = new JournalSink(this.#journal, {
      epoch: this.#epoch,
      context: () => this.#context,
      bootTimeNs: () => 0n,
      onWarning,
    });
    this.#held = held.move();
  }

  /**
   * Opens the journal of an agent.
   *
   * @param options Rules, state, and where findings go.
   * @throws {ImmuneError} `STATE_LOCKED` when the agent runs, `STATE_UNUSABLE`, `IMAGE_INVALID`.
   */
  static async open(options: ReplayJournalOptions): Promise<ReplayJournal> {
    return new ReplayJournal(options, await Engine.create());
  }

  /** Position of the last record that is kept; 0 = none. */
  get last(): number {
    return this.#journal.stats().next - 1;
  }

  /**
   * Runs a file through the rules and keeps what is to be delivered.
   *
   * @param file Path of a journal segment or NDJSON, or `-` for standard input.
   * @throws {ImmuneError} `FILE_UNREADABLE`.
   */
  async take(file: string): Promise<ReplaySummary> {
    const { isRecording, chunks } = await openInput(file);
    const summary = await (isRecording ? this.#recording(chunks) : this.#lines(chunks));
    this.#journal.flush();
    return summary;
  }

  /**
   * Lets go of what the hive has.
   *
   * @param position Everything up to it is durable there.
   */
  acknowledge(position: number): void {
    this.#journal.acknowledge(position);
  }

  /** Closes journal and state. */
  [Symbol.dispose](): void {
    this.#held.dispose();
  }

  async #recording(chunks: AsyncIterable<Uint8Array>): Promise<ReplaySummary> {
    const { onAlert, onProblem } = this.#options;
    const records = new PendingRecords();
    const pipeline = new Pipeline({
      source: records,
      engine: this.#engine,
      sink: this.#sink,
      rules: this.#rules,
      indicators: lookupOf(this.#engine, this.#options.indicators),
      epoch: this.#epoch,
      context: () => this.#context,
      onAlert,
    });
    const problem = await eachRecordedBatch(chunks, ({ info, records: recorded }) => {
      this.#context = contextOf(info, this.#context);
      records.add(recorded);
      while (pipeline.step(0) > 0);
    });
    if (problem !== undefined) onProblem(pipeline.records + 1, problem);
    pipeline.tellHealth();
    return {
      events: pipeline.records,
      matches: pipeline.alerts,
      problems: problem === undefined ? 0 : 1,
    };
  }

  #lines(chunks: AsyncIterable<Uint8Array>): Promise<ReplaySummary> {
    const { ruleSet, indicators, onProblem } = this.#options;
    return replayLines(chunks, {
      ruleSet,
      indicators,
      onProblem,
      onMatch: ({ line }, found) => {
        // The hive correlates the fleet's alerts itself.
        const isFleet = found.correlation?.rule.scope === "fleet";
        if (!found.isSilent && !isFleet) this.#raise(found, line);
      },
    });
  }

  #raise(
    { event = {}, rule, correlation, indicator }: ReplayFinding,
    line: number,
  ): void {
    const { hostId, bootId } = this.#context;
    // A hive shows the newest first: an event without a time is one of now.
    const timeMs = statedTimeMs(event) ?? Date.now();
    const { ruleSet } = this.#options;
    const finding = {
      ruleSetHash: ruleSet.hash,
      document: flatDocument(event, { context: this.#context, timeMs, line }),
      record: { hostId, bootId, epoch: this.#epoch, source: SOURCES.replay, sequence: line },
    };
    const alert = indicator !== undefined
      ? makeIndicatorAlert(indicator, finding)
      : correlation === undefined
      ? makeAlert({ ...finding, rule })
      : makeCorrelationAlert(correlation, { ...finding, ruleSet });
    const header = { source: SOURCES.replay, sequence: line, time_ns: BigInt(timeMs) * NS_PER_MS };
    this.#sink.appendAlerts([alert], [decodeRecord(encodeRecord("fork", { header }))]);
    this.#options.onAlert(alert);
  }
}

/** The recording's boot and clock, this host's name: a hive takes nothing else from this agent. */
function contextOf({ bootId, wallOffsetNs }: BatchInfo, context: EcsContext): EcsContext {
  return { ...context, bootId, wallOffsetNs };
}

/** Records of one batch at a time, as a source for the pipeline. */
class PendingRecords {
  #records: readonly Uint8Array[] = [];
  #next = 0;

  add(recorded: Uint8Array): void {
    const wanted = [...decodeRecords(recorded)].filter(({ kindId }) =>
      kindId < USER_KIND_FIRST || CONTEXT_KINDS.has(kindId)
    );
    this.#records = [...this.#records.slice(this.#next), ...wanted.map(({ bytes }) => bytes)];
    this.#next = 0;
  }

  poll(view: Uint8Array): number {
    let length = 0;
    for (; this.#next < this.#records.length; this.#next++) {
      const record = this.#records[this.#next];
      if (record === undefined || length + record.length > view.length) break;
      view.set(record, length);
      length += record.length;
    }
    return length;
  }

  stats(): readonly [] {
    return [];
  }
}
