// Appends until it is killed; each line of its output is an append that resolved:
// journal, first position, records, alert.
import { alertRecord, fork, sampleAlert, sampleBatch } from "./_batches_test_support.ts";
import { SqliteStore } from "./sqlite.ts";

const [path = "", agentId = "", hostId = "", round = "0"] = Deno.args;
/** Appends that share a commit. */
const AT_ONCE = 3;

const store = new SqliteStore(path);
const journalId = Number(round).toString(16).padStart(32, "0");
const line = new TextEncoder();
let first = 1;
for (;;) {
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    const from = first;
    const count = 2 + from % 40;
    first += count;
    const id = Number(round) * 1_000_000 + from;
    const forks = Array.from({ length: count - 1 }, (_, i) => fork(from + i, i));
    const records = [...forks, alertRecord(sampleAlert(id, { hostId }))];
    await store.append({
      agentId,
      bytes: sampleBatch({ first: from, records, hostId, journalId }),
    });
    Deno.stdout.writeSync(line.encode(`${journalId} ${from} ${count} ${id}\n`));
  }));
}
