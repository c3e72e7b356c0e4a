// Appends until it is killed; each line of its output is an append that returned:
// position, count, seed.
import { origin, sampleRecords } from "./_test_support.ts";
import { Journal } from "./mod.ts";

const [folder = "", seed = "0"] = Deno.args;
const options = { segmentBytes: 64 * 1024, totalBytes: 64 * 1024 * 1024 };
const context = { records: sampleRecords(3, 0), recordCount: 3 };
const journal = Journal.open(folder, { ...options, context: () => [context] });
const line = new TextEncoder();
for (let round = 0;; round++) {
  const sample = (Number(seed) * 100_003 + round) % 2 ** 31;
  const count = 1 + (sample * 7919) % 60;
  const appended = journal.append(sampleRecords(count, sample), origin(count));
  if (!appended.written) throw appended.error;
  Deno.stdout.writeSync(line.encode(`${appended.first} ${count} ${sample}\n`));
}
