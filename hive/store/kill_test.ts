import { assert, assertEquals } from "@std/assert";
import { decodeBatch } from "../../common/wire/mod.ts";
import { enrolled, sampleAlert } from "./_batches_test_support.ts";
import { inFolder } from "./_folder_test_support.ts";
import { SqliteStore } from "./sqlite.ts";
import { ALERTS_PER_PAGE_MAX } from "./store.ts";

/** Times that the appending process is killed. */
const ROUNDS = 12;
/** Most lines of an appender that are waited for before it is killed. */
const LINES_MAX = 60;
const SEED = 99;
const BLOCKS_MAX = 1000;

interface Reported {
  readonly journalId: string;
  readonly first: number;
  readonly count: number;
  readonly alert: number;
}

/** Runs the appender, kills it behind a line or inside the next append, and gives its reports. */
async function killAfter(args: readonly string[], lines: number): Promise<Reported[]> {
  const script = new URL("./_appender_test_support.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, ...args],
    stdout: "piped",
  }).spawn();
  let text = "";
  let killed = false;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (!killed && text.split("\n").length > lines) {
      killed = true;
      child.kill("SIGKILL");
    }
  }
  assertEquals((await child.status).signal, "SIGKILL");
  return text.split("\n").slice(0, -1).map((each) => {
    const [journalId = "", ...numbers] = each.split(" ");
    const [first = 0, count = 0, alert = 0] = numbers.map(Number);
    return { journalId, first, count, alert };
  });
}

/** Holds the store against itself and against what was acknowledged. */
async function check(store: SqliteStore, reported: readonly Reported[]): Promise<void> {
  const held = new Map<string, number>();
  const ends = new Map<string, number>();
  let stored = 0;
  for (let before: number | undefined = undefined, more = true; more;) {
    const query = { limit: BLOCKS_MAX, ...(before === undefined ? {} : { before }) };
    const blocks: Awaited<ReturnType<SqliteStore["blocks"]>> = await store.blocks(query);
    for (const { bytes } of blocks) {
      const { journalId, first, recordCount } = decodeBatch(bytes).info;
      held.set(`${journalId} ${first}`, recordCount);
      ends.set(journalId, Math.max(ends.get(journalId) ?? 0, first + recordCount - 1));
      stored += recordCount;
    }
    before = blocks.at(-1)?.id;
    more = blocks.length > 0;
  }
  for (const { journalId, first, count, alert } of reported) {
    assertEquals(held.get(`${journalId} ${first}`), count, "an acknowledged batch is there");
    const { id } = sampleAlert(alert, { hostId: "" });
    assertEquals((await store.alert(id))?.id, id, "and its alert");
  }
  // What was on its way is there as a whole or not at all: blocks, positions and totals agree.
  const [ledger] = await store.ledgers();
  assertEquals(ledger?.stored, stored);
  assertEquals([...ends.values()].reduce((sum, end) => sum + end, 0), stored);
  const { alertsBySeverity } = await store.stats();
  assertEquals(alertsBySeverity["high"] ?? 0, held.size, "an alert for each block");
  assert((await store.alerts({ limit: ALERTS_PER_PAGE_MAX })).alerts.length > 0);
}

Deno.test("SqliteStore.append() that resolved is there after SIGKILL at any moment", () =>
  inFolder(async (folder) => {
    const path = `${folder}/store.db`;
    const first = new SqliteStore(path);
    const { id, hostId } = await enrolled(first);
    await first.close();
    let random = SEED;
    const reported: Reported[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0;
      const lines = 1 + (random >>> 16) % LINES_MAX;
      const fresh = await killAfter([path, id, hostId, String(round)], lines);
      assert(fresh.length >= lines, "it appended");
      reported.push(...fresh);
      const store = new SqliteStore(path);
      await check(store, reported);
      await store.close();
    }
    assert(reported.length > ROUNDS * 10, "enough appends to mean something");
  }));
