import { assert, assertEquals } from "@std/assert";
import { inFolder, numbersFrom, sampleRecords, SEED } from "./_test_support.ts";
import { Journal } from "./mod.ts";

/** Times that the appending process is killed. */
const ROUNDS = 36;
/** Most lines of an appender that are waited for before it is killed. */
const LINES_MAX = 120;

interface Reported {
  readonly first: number;
  readonly records: Uint8Array;
}

/** Runs the appender, kills it behind a line or inside the next append, and gives its reports. */
async function killAfter(
  folder: string,
  { lines, seed }: { readonly lines: number; readonly seed: number },
): Promise<Reported[]> {
  const script = new URL("./_appender_test_support.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, folder, String(seed)],
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
  // A line without its end was cut by the kill: it still was written after its append returned.
  return text.split("\n").slice(0, -1).map((each) => {
    const [first = 0, count = 0, sample = 0] = each.split(" ").map(Number);
    return { first, records: sampleRecords(count, sample) };
  });
}

Deno.test("Journal.append() that returned is there bit for bit after SIGKILL at any moment", () =>
  inFolder(async (folder) => {
    const next = numbersFrom(SEED);
    const reported: Reported[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const lines = 1 + Math.floor(next() * LINES_MAX);
      const fresh = await killAfter(folder, { lines, seed: round });
      assert(fresh.length >= lines, "it appended");
      reported.push(...fresh);
      using journal = Journal.open(folder);
      assertEquals(journal.recovery.damagedBytes, 0);
      const stored = new Map([...journal.read(1)].map((each) => [each.info.first, each.records]));
      for (const { first, records } of reported) assertEquals(stored.get(first), records);
    }
    assert(reported.length > ROUNDS * 10, "enough appends to mean something");
  }));
