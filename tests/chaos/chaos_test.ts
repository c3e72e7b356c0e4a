import { assert, assertEquals } from "@std/assert";
import { encodeBatch } from "../../common/wire/mod.ts";
import { encodeRecord, SOURCES } from "../../common/record/mod.ts";
import { SqliteStore } from "../../hive/store/mod.ts";
import { ROOT } from "../support/immune.ts";
import { count } from "./count.ts";

const HOST = "0c".repeat(32);

/** A store with records of one journal: position and number of the first, how many. */
async function storeOf(
  path: string,
  batches: readonly (readonly [first: number, sequence: number, records: number])[],
): Promise<void> {
  const store = new SqliteStore(path);
  const id = crypto.randomUUID();
  await store.addAgent({ id, hostId: HOST, hostName: "host" }, "0f".repeat(32));
  for (const [first, sequence, recordCount] of batches) {
    const parts = Array.from(
      { length: recordCount },
      (_, i) =>
        encodeRecord("fork", { header: { source: SOURCES.replay, sequence: sequence + i } }),
    );
    const records = new Uint8Array(parts.flatMap((part) => [...part]));
    const bytes = encodeBatch({
      first,
      recordCount,
      losses: [],
      journalId: "0a".repeat(16),
      bootId: "0b".repeat(16),
      hostId: HOST,
      epoch: 1,
      wallOffsetNs: 0n,
    }, records);
    assertEquals((await store.append({ agentId: id, bytes })).outcome, "stored");
  }
  await store.close();
}

Deno.test("count() finds records that are missing, twice there, or said to be written", async () => {
  const folder = await Deno.makeTempDir({ prefix: "immune-count-" });
  const drained = { drained: { last: 8, acknowledged: 8 } };
  await storeOf(`${folder}/whole.db`, [[1, 1, 4], [5, 5, 4]]);
  assertEquals(await count(`${folder}/whole.db`, [{ first: 5, last: 8 }, drained]), {
    made: 8,
    acked: 8,
    stored: 8,
    duplicate: 0,
    lost: 0,
  });
  assertEquals(
    await count(`${folder}/whole.db`, [{ first: 9, last: 10 }, drained]).then(({ lost }) => lost),
    2,
  );
  await storeOf(`${folder}/short.db`, [[1, 1, 6]]);
  const short = await count(`${folder}/short.db`, [drained]);
  assertEquals([short.made, short.stored, short.lost], [8, 6, 2]);
  // The same records under other positions, as from a journal that gave positions out anew.
  await storeOf(`${folder}/twice.db`, [[1, 1, 4], [5, 3, 4]]);
  assertEquals((await count(`${folder}/twice.db`, [drained])).duplicate, 2);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("hive and agent that are killed lose and double nothing that was written", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", `${ROOT}tests/chaos/main.ts`, "--kills", "4", "--seed", "7"],
    stderr: "inherit",
  }).output();
  const found = /^made=(\d+) acked=(\d+) stored=(\d+) duplicate=0 lost=0\n$/
    .exec(new TextDecoder().decode(stdout));
  assert(found !== null, new TextDecoder().decode(stdout));
  const [, made, acked, stored] = found.map(Number);
  assertEquals([acked, stored, code], [made, made, 0]);
  assert((made ?? 0) > 1000, "enough records to mean something");
});
