// An agent as a process of its own: a journal that records flow into, and the link that delivers it.
//
// deno run -A tests/chaos/agent.ts enroll STATE   (token on standard input)
// deno run -A tests/chaos/agent.ts run STATE SEED [--drain]
//
// It prints a line of JSON for each thing that the test counts.
import { enroll } from "../../agent/enrol/enroll.ts";
import { AgentLink } from "../../agent/link/agent_link.ts";
import { ImmuneError, State } from "../../common/config/mod.ts";
import { type ContextBatch, Journal } from "../../common/journal/mod.ts";
import { encodeRecord, SOURCES } from "../../common/record/mod.ts";
import { randomNumbers } from "../bench/_random.ts";

/** Small segments, so that a run crosses many of them. */
const JOURNAL = { segmentBytes: 256 * 1024, totalBytes: 256 * 1024 * 1024, flushMs: 20 };
/** Most records of one append. */
const RECORDS_MAX = 60;
/** Pause after an append, at most, in milliseconds. */
const PAUSE_MS_MAX = 5;

const BOOT_ID = "0b".repeat(16);

function say(line: object): void {
  console.log(JSON.stringify(line));
}

/** Records of processes that never were, numbered by epoch and sequence. */
class Generator {
  readonly #random: (below: number) => number;
  #sequence = 0;

  constructor(seed: number) {
    this.#random = randomNumbers(seed);
  }

  records(count: number): Uint8Array {
    const parts = Array.from({ length: count }, () => this.#record());
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let offset = 0;
    for (const part of parts) {
      bytes.set(part, offset);
      offset += part.length;
    }
    return bytes;
  }

  batch(): ContextBatch {
    const recordCount = 1 + this.#random(RECORDS_MAX);
    return { records: this.records(recordCount), recordCount };
  }

  pauseMs(): number {
    return this.#random(PAUSE_MS_MAX);
  }

  #record(): Uint8Array {
    return encodeRecord("exec", {
      header: {
        source: SOURCES.replay,
        sequence: ++this.#sequence,
        time_ns: BigInt(Math.round(performance.now() * 1e6)),
        pid: 1 + this.#random(30_000),
      },
      slots: { image: "/usr/bin/true", argv: `true\0${"x".repeat(this.#random(200))}` },
    });
  }
}

async function enrol(state: string): Promise<void> {
  const token = await new Response(Deno.stdin.readable).text();
  using held = State.open(state);
  const { agentId } = await enroll({ token, state, hostId: held.hostId(), hostName: "chaos" });
  say({ enrolled: agentId });
}

async function run(
  path: string,
  { seed, drain }: { readonly seed: number; readonly drain: boolean },
): Promise<void> {
  using state = State.open(path);
  const epoch = state.nextEpoch();
  const hostId = state.hostId();
  const generator = new Generator(seed + epoch);
  const durable = new SharedArrayBuffer(8);
  using journal = Journal.open(state.paths.journal, {
    ...JOURNAL,
    context: () => [{ records: generator.records(3), recordCount: 3 }],
    publishTo: new BigInt64Array(durable),
  });
  say({ opened: journal.recovery });
  const { promise: drained, resolve } = Promise.withResolvers<void>();
  let acknowledged = 0;
  let complete = false;
  const check = (): void => {
    if (complete && acknowledged === journal.stats().durable) resolve();
  };
  const link = new AgentLink({ state: path, durable }, {
    onStatus: (status) => say({ status }),
    onAcknowledged: (position) => {
      acknowledged = position;
      journal.acknowledge(position);
      say({ acknowledged });
      check();
    },
    onWarning: (warning) => say({ warning }),
  });
  link.finished.catch((error) => say({ linkEnded: failureOf(error) }));
  say({ flowing: true });
  const origin = { bootId: BOOT_ID, hostId, epoch };
  for (let round = 0; !drain || round < 10; round++) {
    const { records, recordCount } = generator.batch();
    const wallOffsetNs = BigInt(Math.floor(Date.now() / 1000)) * 1_000_000_000n;
    const appended = journal.append(records, { ...origin, recordCount, wallOffsetNs });
    if (!appended.written) throw appended.error;
    say({ first: appended.first, last: appended.last });
    await new Promise((resolve) => setTimeout(resolve, generator.pauseMs()));
  }
  journal.flush();
  complete = true;
  check();
  await Promise.race([drained, link.finished]);
  link.stop();
  const { messages, failures, gaps, refusedRecords } = await link.finished;
  const { evictedRecords, unwritableRecords, next } = journal.stats();
  say({ drained: { last: next - 1, acknowledged, evictedRecords, unwritableRecords } });
  say({ link: { messages, failures, gaps, refusedRecords } });
}

function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof ImmuneError) return { code: error.code, message: error.message };
  throw error;
}

const [verb, path = "", seed = "1", flag] = Deno.args;
try {
  if (verb === "enroll") await enrol(path);
  else await run(path, { seed: Number(seed), drain: flag === "--drain" });
} catch (error) {
  say({ failed: failureOf(error) });
  Deno.exit(1);
}
