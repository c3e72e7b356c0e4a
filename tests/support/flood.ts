import { statePaths } from "../../common/config/mod.ts";
import { JournalReader } from "../../common/journal/mod.ts";
import { decodeRecords, HEADER_OFFSETS, KINDS } from "../../common/record/mod.ts";
import { BODY_LAYOUTS, HEADER_BYTES } from "../../common/record/layout.ts";
import { decodeHealth, lostOf, OUTCOMES, type Tally } from "../../common/wire/mod.ts";
import { immune } from "./immune.ts";
import { Lines, START_WAIT_MS } from "./lines.ts";
import { USER_KIND_FIRST } from "../../common/record/bounds.ts";

/** More positions than any journal has: everything in it is read. */
const ALL = 2n ** 50n;
/** A journal that keeps all of a long flood, in bytes. */
const JOURNAL_BYTES = 32 * 2 ** 30;

/** What is opened. */
const OPENED = "/bin/true";
const INODE_OFFSET = HEADER_BYTES +
  (BODY_LAYOUTS.open.places.find(({ name }) => name === "inode")?.offset ?? NaN);

/** How hard it is flooded. */
export interface FloodOptions {
  /** flood.c, compiled. */
  readonly binary: string;
  /** Opens a second. */
  readonly rate: number;
  readonly seconds: number;
  readonly threads: number;
  /** Processes a second. */
  readonly children: number;
  /** Further flags of `immune watch`. */
  readonly flags?: readonly string[];
  /** Runs meanwhile, from when the flood runs until it is over. */
  readonly meanwhile?: (over: AbortSignal) => Promise<void>;
}

/** What a flood came to: what flood.c counted, what the sensor did, and what the journal holds. */
export interface Flooded {
  /** Opens that the program made, and processes that it started. */
  readonly opens: number;
  readonly children: number;
  /** Seconds that it took. */
  readonly seconds: number;
  /** Opens of its process that are in the journal. */
  readonly delivered: number;
  /** Forks, execs and exits of its children in the journal. */
  readonly lifecycle: Readonly<Record<"fork" | "exec" | "exit", number>>;
  /** Records of each kind in the journal, by the kind's number. */
  readonly journaled: ReadonlyMap<number, number>;
  /** What the sensor counted, by the kind's number. */
  readonly tallies: ReadonlyMap<number, Tally>;
}

/**
 * Runs `immune watch` in wide-stream mode, floods it, stops it, and reads its journal.
 *
 * @param options How hard.
 */
export async function flood(options: FloodOptions): Promise<Flooded> {
  const { binary, rate, seconds, threads, children, flags = [], meanwhile } = options;
  const state = await Deno.makeTempDir();
  try {
    const watch = immune([
      ...["watch", "--json", "--state", state, "--sensor-open", "wide"],
      ...["--journal-total-bytes", String(JOURNAL_BYTES)],
      ...flags,
    ]).spawn();
    const [alerts, messages] = [new Lines(watch.stdout), new Lines(watch.stderr)];
    await messages.find((line) => line.startsWith("Watching"), { waitMs: START_WAIT_MS });
    const draining = Promise.all([alerts.drain(), messages.drain()]);
    const over = new AbortController();
    const aside = meanwhile?.(over.signal);
    const started = performance.now();
    const child = new Deno.Command(binary, {
      args: [OPENED, rate, seconds, threads, children].map(String),
      stdout: "piped",
    }).spawn();
    const { success, stdout } = await child.output();
    const took = (performance.now() - started) / 1000;
    over.abort();
    await aside;
    watch.kill("SIGINT");
    await Promise.all([draining, watch.status]);
    if (!success) throw new Error("The flood failed");
    const [opens = 0, spawned = 0] = new TextDecoder().decode(stdout).trim().split(" ").map(Number);
    return {
      opens,
      children: spawned,
      seconds: took,
      ...readFlood(statePaths(state).journal, {
        pid: child.pid,
        inode: Deno.statSync(OPENED).ino,
      }),
    };
  } finally {
    await Deno.remove(state, { recursive: true });
  }
}

/**
 * Opens that are neither in the journal nor in a counter of what is lost, and records of a kernel by
 * which counters and journal differ; 0 when all is well.
 */
export function unaccounted({ opens, delivered, journaled, tallies }: Flooded): number {
  let missing = Math.max(0, opens - delivered - lostOpens(tallies));
  for (const tally of tallies.values()) {
    const sum = OUTCOMES.reduce((total, outcome) => total + tally[outcome], 0);
    missing += Math.abs(tally.seen - sum);
    // Those that user space makes stand in every segment.
    if (tally.kind >= USER_KIND_FIRST) continue;
    missing += Math.abs(tally.submitted - (journaled.get(tally.kind) ?? 0));
  }
  return missing;
}

/** Opens that a sensor counted as made and not sent. */
export function lostOpens(tallies: Flooded["tallies"]): number {
  const opens = tallies.get(KINDS.open.id);
  return opens === undefined ? 0 : lostOf(opens);
}

function readFlood(
  folder: string,
  { pid, inode }: { readonly pid: number; readonly inode: number | null },
): Pick<Flooded, "delivered" | "lifecycle" | "journaled" | "tallies"> {
  const lifecycle = { fork: 0, exec: 0, exit: 0 };
  const journaled = new Map<number, number>();
  const tallies = new Map<number, Tally>();
  let delivered = 0;
  const durable = new BigInt64Array(new SharedArrayBuffer(8));
  Atomics.store(durable, 0, ALL);
  using reader = JournalReader.open(folder, { durable, from: 1 });
  for (let batch = reader.next(); batch !== undefined; batch = reader.next()) {
    const { records } = batch;
    const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
    // Millions of them: their headers alone tell what is counted.
    for (let at = 0; at < records.length; at += view.getUint32(at, true)) {
      const kind = view.getUint16(at + HEADER_OFFSETS.kind, true);
      journaled.set(kind, (journaled.get(kind) ?? 0) + 1);
      if (kind === KINDS.open.id) {
        const isFlood = view.getUint32(at + HEADER_OFFSETS.pid, true) === pid &&
          Number(view.getBigUint64(at + INODE_OFFSET, true)) === inode;
        if (isFlood) delivered++;
      } else if (kind === KINDS.health.id) {
        for (const record of decodeRecords(records.subarray(at, at + view.getUint32(at, true)))) {
          for (const tally of decodeHealth(record)?.tallies ?? []) addTally(tallies, tally);
        }
      } else if (view.getUint32(at + HEADER_OFFSETS.parent_pid, true) === pid) {
        for (const name of ["fork", "exec", "exit"] as const) {
          if (kind === KINDS[name].id) lifecycle[name]++;
        }
      }
    }
  }
  return { delivered, lifecycle, journaled, tallies };
}

function addTally(tallies: Map<number, Tally>, tally: Tally): void {
  const before = tallies.get(tally.kind);
  if (before === undefined) {
    tallies.set(tally.kind, tally);
    return;
  }
  const sums = OUTCOMES.map((outcome) => [outcome, before[outcome] + tally[outcome]]);
  tallies.set(tally.kind, {
    ...before,
    seen: before.seen + tally.seen,
    ...Object.fromEntries(sums),
  });
}
