import { assert, assertEquals } from "@std/assert";
import { KINDS } from "../../common/record/mod.ts";
import { openCounts } from "../support/opens.ts";
import { compile, inFolder, Probe, sensorTest } from "../support/probe.ts";

const LIMIT = 500;
const OPENS = 20_000;

sensorTest(
  "records of a process over its limit are folded, and counted with whose they are",
  async () => {
    await inFolder(async (folder) => {
      const load = await compile("load", folder);
      const rates = { process: LIMIT, cgroup: 0 };
      using probe = new Probe({ kinds: ["open", "exec", "exit"], wideOpen: true, rates });
      const child = new Deno.Command(load, {
        args: ["open_unwatched", String(OPENS)],
        stdout: "null",
      }).spawn();
      assert((await child.status).success);
      // Nothing is seen any more, so that what is read one after the other adds up.
      probe.set({});
      probe.drain();
      const sent = probe.opens(child.pid).length;
      const rows = probe.sensor.folded();
      const own = rows.filter(({ pid }) => pid === child.pid);
      assertEquals(own.length, 1);
      const [row] = own;
      assert(row !== undefined);
      assertEquals(row.kind, KINDS.open.id);
      // Opens of the loader come before those that the workload counts.
      assert(sent >= LIMIT && sent + row.count >= OPENS && sent + row.count < OPENS + LIMIT);
      assert(row.firstNs > row.startTimeNs && row.lastNs >= row.firstNs);
      const { seen, submitted, filtered, folded, lost } = openCounts(probe);
      assertEquals(seen, submitted + filtered + folded + lost);
      assertEquals(rows.reduce((sum, { count }) => sum + count, 0), folded);
      // Taken is taken, and what a process is and does is never folded.
      assertEquals(probe.sensor.folded().filter(({ pid }) => pid === child.pid), []);
      const kinds = probe.records.filter(({ pid }) => pid === child.pid).map(({ kindId }) =>
        kindId
      );
      assert(kinds.includes(KINDS.exec.id) && kinds.includes(KINDS.exit.id));
    });
  },
);

sensorTest("the processes of a cgroup share its limit", async () => {
  await inFolder(async (folder) => {
    const load = await compile("load", folder);
    using probe = new Probe({
      kinds: ["open"],
      wideOpen: true,
      rates: { process: 0, cgroup: LIMIT },
    });
    const children = [1, 2].map(() =>
      new Deno.Command(load, { args: ["open_unwatched", String(OPENS)], stdout: "null" }).spawn()
    );
    for (const child of children) assert((await child.status).success);
    probe.set({});
    probe.drain();
    const rows = probe.sensor.folded();
    assert(rows.length > 0 && rows.every(({ pid, cgroupId }) => pid === 0 && cgroupId > 0n));
    const { seen, submitted, filtered, folded, lost } = openCounts(probe);
    assertEquals(seen, submitted + filtered + folded + lost);
    assertEquals(rows.reduce((sum, { count }) => sum + count, 0), folded);
    assert(folded > OPENS, `only ${folded} of ${2 * OPENS}`);
  });
});
