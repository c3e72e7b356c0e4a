import { type ErrorCode, ImmuneError } from "../../common/config/errors.ts";
import { decodeRecord, ecsDocument, type RecordView, wallTime } from "../../common/record/mod.ts";
import {
  alertCorrelation,
  BATCH_BYTES_MAX,
  BATCH_HEADER,
  type BatchInfo,
  decodeBatch,
} from "../../common/wire/mod.ts";
import { Engine, RULE_LISTED } from "../../wasm/engine/mod.ts";
import type { IndicatorLookup } from "../indicators/lookup.ts";
import { recordMatches } from "../indicators/records.ts";
import { FlatCorrelation } from "./flat_correlation.ts";
import {
  lookupOf,
  type ReplayOptions,
  type ReplaySummary,
  reportIndicator,
  ruleOf,
  silentIn,
} from "./replay_lines.ts";

/** What a damaged segment raises: it ends there, what came before holds. */
const DAMAGE: ReadonlySet<ErrorCode> = new Set([
  "BATCH_MALFORMED",
  "BATCH_TOO_LARGE",
  "RECORD_MALFORMED",
]);
/** Bytes of a batch header that tell its length. */
const LENGTH_BYTES = 12;

/**
 * Runs the records of a journal segment through rules, as the pipeline did when they were made.
 * Values that were masked stay masked: a rule that asks for them does not fire.
 *
 * @param chunks Its bytes.
 * @param options Rules, and where matches and problems go; a line is the number of a record.
 * @throws {ImmuneError} what reading the chunks throws.
 */
export async function replayRecording(
  chunks: AsyncIterable<Uint8Array>,
  options: ReplayOptions,
): Promise<ReplaySummary> {
  const engine = await Engine.create();
  engine.publish(options.ruleSet.image);
  const correlation = new FlatCorrelation(options.ruleSet, { scope: "host" });
  const silent = silentIn(options.ruleSet);
  const lookup = lookupOf(engine, options.indicators);
  const summary = { events: 0, matches: 0, problems: 0 };
  const damage = await eachRecordedBatch(chunks, ({ info, records }) => {
    for (let start = 0; start < records.length;) {
      const end = wholeRecords(records, start, engine.batch.length);
      engine.batch.set(records.subarray(start, end));
      start += matchBatch(engine, {
        ...options,
        length: end - start,
        info,
        correlation,
        silent,
        lookup,
        summary,
      });
    }
  });
  if (damage !== undefined) {
    summary.problems++;
    options.onProblem(summary.events + 1, damage);
  }
  return summary;
}

/**
 * Reads the batches of a journal segment.
 *
 * @param chunks Its bytes.
 * @param onBatch Takes each batch.
 * @returns Why it ends before its end; `undefined` for a whole one.
 * @throws {ImmuneError} what reading the chunks throws.
 */
export async function eachRecordedBatch(
  chunks: AsyncIterable<Uint8Array>,
  onBatch: (batch: ReturnType<typeof decodeBatch>) => void,
): Promise<string | undefined> {
  try {
    for await (const bytes of batches(chunks)) onBatch(decodeBatch(bytes));
    return undefined;
  } catch (error) {
    if (!(error instanceof ImmuneError) || !DAMAGE.has(error.code)) throw error;
    return error.message;
  }
}

interface BatchMatch extends ReplayOptions {
  readonly length: number;
  readonly info: BatchInfo;
  readonly correlation: FlatCorrelation;
  readonly silent: ReturnType<typeof silentIn>;
  readonly lookup: IndicatorLookup;
  readonly summary: { events: number; matches: number; problems: number };
}

/** Matches records up to one that the engine refuses, which is named; how many bytes are done. */
function matchBatch(engine: Engine, options: BatchMatch): number {
  const { summary, length, ruleSet, silent, onMatch } = options;
  const numbers = new Map<number, number>();
  const { bytes_malformed: before } = engine.stats();
  const hits = engine.scan(length);
  const whole = length - (engine.stats().bytes_malformed - before);
  for (let offset = 0; offset < whole;) {
    numbers.set(offset, ++summary.events);
    offset += decodeRecord(engine.batch, offset).bytes.length;
  }
  for (const hit of hits) {
    const line = numbers.get(hit.offset) ?? 0;
    if (hit.rule === RULE_LISTED) {
      matchListed(decodeRecord(engine.batch, hit.offset), { ...options, line });
      continue;
    }
    const rule = ruleSet.rules[hit.rule];
    if (rule === undefined) continue;
    const event = ecsDocument(decodeRecord(engine.batch, hit.offset), {
      ...options.info,
      hostName: "",
      process: engine.program(hit.program),
      parent: engine.program(hit.parentProgram),
      roleName: (id) => ruleSet.roles.find((role) => role.id === id)?.name,
    });
    const match = { line, time: event["@timestamp"] };
    summary.matches++;
    onMatch({ ...match, rule: ruleOf(rule) }, { rule, isSilent: silent.has(rule) });
    const moment = { event: { ...event }, timeMs: Date.parse(match.time), id: `record ${line}` };
    for (const found of options.correlation.take([rule], moment)) {
      summary.matches++;
      onMatch(
        { ...match, rule: ruleOf(found.rule), correlation: alertCorrelation(found, ruleSet) },
        { rule: found.rule, correlation: found, isSilent: silent.has(found.rule) },
      );
    }
  }
  if (whole === length) return length;
  summary.problems++;
  options.onProblem(++summary.events, "Record is shorter than its kind");
  return whole + decodeRecord(engine.batch, whole).bytes.length;
}

/** Hands on the indicators that a record really has. */
function matchListed(
  record: RecordView,
  { line, info, lookup, summary, onMatch }: BatchMatch & { readonly line: number },
): void {
  for (const found of recordMatches(record, { lookup, nowMs: Date.now() })) {
    summary.matches++;
    reportIndicator(found, { match: { line, time: wallTime(record.timeNs, info) }, onMatch });
  }
}

/** End of the last whole record that fits. */
function wholeRecords(records: Uint8Array, start: number, bytes: number): number {
  let end = start;
  while (end < records.length) {
    const next = end + decodeRecord(records, end).bytes.length;
    if (next - start > bytes) break;
    end = next;
  }
  return end;
}

async function* batches(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  await using bytes = new ByteReader(chunks);
  const header = new Uint8Array(LENGTH_BYTES);
  for (;;) {
    const read = await bytes.fill(header);
    if (read === 0) return;
    const length = new DataView(header.buffer).getUint32(BATCH_HEADER.length, true);
    if (read < LENGTH_BYTES || length < LENGTH_BYTES || length > BATCH_BYTES_MAX) {
      throw new ImmuneError(
        "BATCH_MALFORMED",
        `Cannot read batch: length "${length}" does not hold`,
      );
    }
    const batch = new Uint8Array(length);
    batch.set(header);
    const got = LENGTH_BYTES + await bytes.fill(batch.subarray(LENGTH_BYTES));
    if (got < length) {
      throw new ImmuneError(
        "BATCH_MALFORMED",
        `Cannot read batch: "${got}" of ${length} bytes there`,
      );
    }
    yield batch;
  }
}

/** Reads so many bytes at a time from chunks of any size. */
class ByteReader implements AsyncDisposable {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest = new Uint8Array();

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Fills the buffer; how many bytes there were, fewer only at the end. */
  async fill(buffer: Uint8Array): Promise<number> {
    let filled = 0;
    while (filled < buffer.length) {
      if (this.#rest.length === 0) {
        const next = await this.#chunks.next();
        if (next.done) break;
        this.#rest = new Uint8Array(next.value);
      }
      const taken = this.#rest.subarray(0, buffer.length - filled);
      buffer.set(taken, filled);
      filled += taken.length;
      this.#rest = this.#rest.subarray(taken.length);
    }
    return filled;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.();
  }
}
