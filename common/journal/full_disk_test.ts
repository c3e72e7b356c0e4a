import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { canMount, ran } from "../../tests/support/small_disk.ts";
import { LOSS_CAUSES } from "../wire/loss.ts";
import { inFolder, origin, sampleRecords } from "./_test_support.ts";
import { Journal } from "./mod.ts";

/** Bytes of the file system that is filled. */
const DISK_BYTES = 256 * 1024;

/** Runs a test on a small file system of its own. */
function onSmallDisk(test: (disk: string) => void): Promise<void> {
  return inFolder((disk) => {
    Deno.mkdirSync(disk);
    assert(ran("mount", "-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", disk));
    try {
      test(disk);
    } finally {
      assert(ran("umount", disk));
    }
  });
}

Deno.test({
  name: "Journal.append() on a full disk leaves nothing half-written, counts, and recovers",
  ignore: !canMount(),
  fn: () =>
    onSmallDisk((disk) => {
      const folder = `${disk}/journal`;
      const ballast = `${disk}/ballast`;
      Deno.writeFileSync(ballast, new Uint8Array(128 * 1024));
      const written: number[] = [];
      let lost = 0;
      {
        using journal = Journal.open(folder, { segmentBytes: 32_768, totalBytes: 1 << 24 });
        for (let i = 0; i < 40; i++) {
          const appended = journal.append(sampleRecords(50, i), origin(50));
          if (appended.written) written.push(appended.first);
          else {
            lost += 50;
            assertEquals(appended.error.code, "JOURNAL_FULL");
            assertStringIncludes(appended.error.message, folder);
          }
        }
        assert(written.length > 5 && lost > 500, "the disk became full");
        assertEquals(journal.stats().unwritableRecords, lost);
        assertEquals([...journal.read(1)].map(({ info }) => info.first), written);
        Deno.removeSync(ballast);
        const again = journal.append(sampleRecords(50, 99), origin(50));
        assert(again.written, "it recovers when there is space");
        written.push(again.first);
        journal.flush();
      }
      using journal = Journal.open(folder);
      assertEquals(journal.recovery, {
        cutBytes: 0,
        damagedBytes: 0,
        lostRecords: 0,
        removedSegments: 0,
      });
      const batches = [...journal.read(1)];
      assertEquals(batches.map(({ info }) => info.first), written);
      const losses = batches.flatMap(({ info }) => info.losses);
      assert(losses.every(({ cause }) => cause === LOSS_CAUSES.journal_unwritable));
      assertEquals(losses.reduce((sum, { count }) => sum + count, 0), lost);
    }),
});
