import { assert, assertEquals } from "@std/assert";
import type { Watch } from "../../agent/sensors/policy.ts";
import { KINDS } from "../../common/record/table.ts";
import { eventually, expectOpen, watching } from "../support/opens.ts";
import { compile, inFolder, type Probe, run, sensorTest } from "../support/probe.ts";

/** Opens that show that a neighbour became quiet: many times WATCH_QUIET_AFTER. */
const QUIET_OPENS = 1000;

/** Opens a neighbour again and again until the kernel no longer asks about it. */
async function expectQuiet(probe: Probe, race: string, path: string): Promise<void> {
  const before = probe.watchStats().filtered;
  const { pid } = await run(race, ["time", path, String(QUIET_OPENS), "1"]);
  const asked = probe.watchStats().filtered - before;
  assert(asked > 0 && asked < QUIET_OPENS / 4, `asked ${asked} times`);
  probe.drain();
  assertEquals(probe.opens(pid).length, 0);
  const { seen, submitted } = probe.quietStats();
  assertEquals([submitted > 0, seen], [true, submitted]);
}

/** A folder with a compiled `race` outside of what is watched, which is `FOLDER/in`. */
async function withRace(
  test: (race: string, inside: string, folder: string) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const inside = `${folder}/in`;
    Deno.mkdirSync(inside);
    Deno.writeTextFileSync(`${inside}/secret`, "x");
    Deno.writeTextFileSync(`${inside}/public`, "x");
    await test(await compile("race", folder), inside, folder);
  });
}

/** What brings a quiet neighbour to a watched place; gives the place. */
const ARRIVALS: Readonly<Record<string, (inside: string) => string>> = {
  "renamed onto the watched name": (inside) => {
    Deno.renameSync(`${inside}/public`, `${inside}/secret`);
    return `${inside}/secret`;
  },
  "linked to a watched name": (inside) => {
    Deno.linkSync(`${inside}/public`, `${inside}/late`);
    return `${inside}/late`;
  },
  "renamed through another directory": (inside) => {
    Deno.mkdirSync(`${inside}/../away`);
    Deno.renameSync(`${inside}/public`, `${inside}/../away/public`);
    Deno.renameSync(`${inside}/../away/public`, `${inside}/secret`);
    return `${inside}/secret`;
  },
  "renamed into a watched directory": (inside) => {
    const path = `${Deno.realPathSync(`${inside}/..`)}/whole/public`;
    Deno.renameSync(`${inside}/public`, path);
    return path;
  },
  "linked into a watched tree": (inside) => {
    const path = `${Deno.realPathSync(`${inside}/..`)}/tree/public`;
    Deno.linkSync(`${inside}/public`, path);
    return path;
  },
  "moved with its directory": (inside) => {
    const path = `${Deno.realPathSync(`${inside}/..`)}/tree/in/public`;
    Deno.renameSync(inside, `${inside}/../tree/in`);
    return path;
  },
};

for (const [how, arrive] of Object.entries(ARRIVALS)) {
  sensorTest(`a neighbour opened often is quiet, and reported once it is ${how}`, async () => {
    await withRace(async (race, inside, folder) => {
      Deno.mkdirSync(`${folder}/whole`);
      Deno.mkdirSync(`${folder}/tree`);
      using probe = watching(
        { type: "file", path: `${inside}/secret` },
        { type: "file", path: `${inside}/late` },
        { type: "children", path: `${folder}/whole` },
        { type: "tree", path: `${folder}/tree` },
      );
      await expectQuiet(probe, race, `${inside}/public`);
      const path = arrive(inside);
      await eventually(probe, path);
      // An open before it was heard again may have gone unseen, and that is said.
      probe.until((records) => records.some((record) => record.kindId === KINDS.loss.id));
      const { unreadable } = probe.watchStats();
      assert(unreadable === 1 || unreadable === 2, `${unreadable} losses`);
      await expectOpen(probe, { argument: path, path });
    });
  });
}

sensorTest("a quiet neighbour is heard at once, written to, then renamed", async () => {
  await withRace(async (race, inside) => {
    const path = `${inside}/secret`;
    using probe = watching({ type: "file", path });
    await expectQuiet(probe, race, `${inside}/public`);
    Deno.writeTextFileSync(`${inside}/public`, "new");
    Deno.renameSync(`${inside}/public`, path);
    await expectOpen(probe, { argument: path, path });
  });
});

sensorTest("a quiet neighbour is heard at once, watched by a new policy", async () => {
  await withRace(async (race, inside, folder) => {
    const [path, secret] = [`${inside}/public`, `${inside}/secret`];
    using probe = watching({ type: "file", path: secret });
    const policies: Watch[] = [
      { type: "file", path },
      { type: "children", path: inside },
      { type: "tree", path: folder },
    ];
    for (const watch of policies) {
      probe.set({ kinds: ["open"], watches: [{ type: "file", path: secret }] });
      await expectQuiet(probe, race, path);
      probe.set({ kinds: ["open"], watches: [watch] });
      await expectOpen(probe, { argument: path, path });
    }
    assertEquals(probe.watchStats().unreadable, 0);
  });
});

sensorTest("a neighbour with two names is never quiet", async () => {
  await withRace(async (race, inside, folder) => {
    Deno.linkSync(`${inside}/public`, `${folder}/public`);
    using probe = watching({ type: "file", path: `${inside}/secret` });
    await run(race, ["time", `${inside}/public`, String(QUIET_OPENS), "1"]);
    const { filtered } = probe.watchStatsWhen(({ seen, filtered }) =>
      Math.min(seen, filtered) >= QUIET_OPENS
    );
    assertEquals(filtered, QUIET_OPENS);
    assertEquals(probe.quietStats().seen, 0);
  });
});
