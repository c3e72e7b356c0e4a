import { ReplayJournal } from "../agent/pipeline/replay_journal.ts";
import type { LoadedIndicators } from "../agent/indicators/messages.ts";
import type { ReplaySummary } from "../agent/pipeline/replay_lines.ts";
import type { Config } from "../common/config/mod.ts";
import type { RuleSet } from "../common/sigma/mod.ts";
import type { Alert } from "../common/wire/mod.ts";
import { DURABLE_BYTES, enrolledIdentity, startDelivery } from "./delivery.ts";
import { untilSignal } from "./signals.ts";

/** What is replayed, and where findings go. */
export interface ReplayDelivery {
  readonly config: Config;
  readonly ruleSet: RuleSet;
  readonly indicators: LoadedIndicators | undefined;
  readonly onAlert: (alert: Alert) => void;
  readonly onWarning: (message: string) => void;
  readonly onProblem: (line: number, problem: string) => void;
}

/** What became of a replay that is delivered. */
export interface DeliveredReplay extends ReplaySummary {
  /** HOST:PORT of the hive. */
  readonly hive: string;
  /** False when a signal ended the delivery before the hive had everything. */
  readonly delivered: boolean;
}

/**
 * Runs a file through the rules and delivers events and alerts to the hive that this host is
 * enrolled with, as its agent. What a hive that does not answer misses stays in the journal for the
 * next run.
 *
 * @param file Path of a journal segment or NDJSON, or `-` for standard input.
 * @param replay Configuration, rules, and where findings go.
 * @throws {ImmuneError} `ENROLL_REFUSED`, `STATE_LOCKED` when the agent runs, `FILE_UNREADABLE`.
 */
export async function deliverReplay(
  file: string,
  replay: ReplayDelivery,
): Promise<DeliveredReplay> {
  const { config, onWarning } = replay;
  const state = config.state.dir;
  const { agents: hive } = enrolledIdentity(state);
  const durable = new SharedArrayBuffer(DURABLE_BYTES);
  using journal = await ReplayJournal.open({
    ...replay,
    state,
    durable,
    journal: {
      segmentBytes: config.journal.segment_bytes,
      totalBytes: config.journal.total_bytes,
    },
    hostName: Deno.hostname(),
  });
  const summary = await journal.take(file);
  const { last } = journal;
  if (last === 0) return { ...summary, hive, delivered: true };
  const all = Promise.withResolvers<boolean>();
  const onAcknowledged = (position: number): void => {
    journal.acknowledge(position);
    if (position >= last) all.resolve(true);
  };
  const { proxy } = config.agent;
  const link = startDelivery({
    state,
    durable,
    onAcknowledged,
    onWarning,
    ...(proxy === "" ? {} : { proxy }),
  });
  link.finished.catch(all.reject);
  const over = new AbortController();
  const ended = untilSignal({ over: over.signal }).then(() => false);
  const delivered = await Promise.race([all.promise, ended]);
  over.abort();
  link.stop();
  await link.finished.catch(() => undefined);
  return { ...summary, hive, delivered };
}
