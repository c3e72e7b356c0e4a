import { assert, assertEquals } from "@std/assert";
import { ImmuneError } from "../../common/config/errors.ts";
import { canMount, ran, unmount } from "../../tests/support/small_disk.ts";
import { alertRecord, enrolled, sampleBatch } from "./_batches_test_support.ts";
import { inFolder } from "./_folder_test_support.ts";
import { SqliteStore } from "./sqlite.ts";

const BALLAST_BYTES = 2 * 1024 * 1024;

Deno.test({
  name: "SqliteStore on a full disk refuses whole batches, and goes on when there is space",
  ignore: !canMount(),
  fn: () =>
    inFolder(async (disk) => {
      assert(ran("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk));
      try {
        await fill(disk);
      } finally {
        assert(unmount(disk));
      }
    }),
});

async function fill(disk: string): Promise<void> {
  const path = `${disk}/store.db`;
  const ballast = `${disk}/ballast`;
  Deno.writeFileSync(ballast, new Uint8Array(BALLAST_BYTES));
  const store = new SqliteStore(path);
  const { id, hostId } = await enrolled(store);
  const put = (first: number): Promise<unknown> => {
    const noise = crypto.getRandomValues(new Uint8Array(9000)).toHex();
    const bytes = sampleBatch({ first, records: Array(5).fill(alertRecord(noise)), hostId });
    return store.append({ agentId: id, bytes });
  };
  let position = 0;
  let refused = 0;
  for (let round = 0; round < 400 && refused < 5; round++) {
    await put(position + 1).then(() => position += 5, (error) => {
      assert(error instanceof ImmuneError);
      assertEquals(error.code, "STORE_FULL");
      refused++;
    });
  }
  assertEquals(refused, 5, "the disk became full");
  assert(position > 20, `some were stored: ${position}`);
  assertEquals((await store.ledgers())[0]?.position, position);
  assertEquals((await store.blocks({ limit: 1000 })).length, position / 5);
  Deno.removeSync(ballast);
  await put(position + 1);
  await store.close();
  const again = new SqliteStore(path);
  assertEquals((await again.ledgers())[0]?.position, position + 5);
  await again.close();
}
