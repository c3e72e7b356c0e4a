import { assert, assertEquals } from "@std/assert";
import { flood, lostOpens, unaccounted } from "../support/flood.ts";
import { compile, inFolder, sensorTest } from "../support/probe.ts";

/** A short form of `tests/bench/flood.ts`, at a rate that every host can do. */
const CALM = { rate: 2000, seconds: 2, threads: 1, children: 20 };

sensorTest("every open of a flood is in the journal, and every process beside it", async () => {
  await inFolder(async (folder) => {
    const binary = await compile("flood", folder);
    const flooded = await flood({ ...CALM, binary });
    const { opens, delivered, children, lifecycle, tallies } = flooded;
    assert(opens > 0);
    assertEquals(lostOpens(tallies), 0);
    assertEquals([delivered, unaccounted(flooded)], [opens, 0]);
    assertEquals(lifecycle, { fork: children, exec: children, exit: children });
  });
});

sensorTest("a ring that is too small loses what its counters say and no process", async () => {
  await inFolder(async (folder) => {
    const binary = await compile("flood", folder);
    const tiny = ["--sensor-bulk-ring-bytes", "4096"];
    const flooded = await flood({ ...CALM, rate: 100_000, binary, flags: tiny });
    const { opens, delivered, children, lifecycle, tallies } = flooded;
    assert(delivered < opens, `all ${opens} came through`);
    assert(lostOpens(tallies) >= opens - delivered);
    assertEquals(unaccounted(flooded), 0);
    assertEquals(lifecycle, { fork: children, exec: children, exit: children });
  });
});
