import { assert, assertEquals } from "@std/assert";
import type { Watch } from "../../agent/sensors/policy.ts";
import type { StatsRow } from "../../agent/sensors/sensor.ts";
import type { RecordView } from "../../common/record/decode.ts";
import { KINDS } from "../../common/record/table.ts";
import { FLAGS } from "../../common/record/values.ts";
import { eventually, expectOpen, watching } from "../support/opens.ts";
import { compile, inFolder, pathOf, Probe, run, sensorTest } from "../support/probe.ts";

/** Other watched paths of one file that an open is told under: `WATCH_NAMES_MAX`. */
const NAMES_MAX = 16;

sensorTest("a watched file is seen, by path, hard link, symbolic link, relative path", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/secret`;
    Deno.mkdirSync(`${folder}/other`);
    Deno.writeTextFileSync(path, "x");
    Deno.linkSync(path, `${folder}/other/hard`);
    Deno.symlinkSync(path, `${folder}/other/soft`);
    using probe = watching({ type: "file", path });
    await expectOpen(probe, { argument: path, path });
    const openedAs = `${folder}/other/hard`;
    await expectOpen(probe, { argument: openedAs, path, openedAs });
    await expectOpen(probe, { argument: `${folder}/other/soft`, path });
    await expectOpen(probe, { argument: "../secret", path, cwd: `${folder}/other` });
    assertEquals(probe.opens().length, 4);
  });
});

sensorTest(
  "a watched file is seen at once after it was replaced, and by a new hard link",
  async () => {
    await inFolder(async (folder) => {
      const path = `${folder}/secret`;
      Deno.writeTextFileSync(path, "old");
      using probe = watching({ type: "file", path });
      for (let i = 0; i < 20; i++) {
        Deno.writeTextFileSync(`${folder}/next`, `new ${i}`);
        Deno.renameSync(`${folder}/next`, path);
        await expectOpen(probe, { argument: path, path });
      }
      Deno.mkdirSync(`${folder}/other`);
      Deno.linkSync(path, `${folder}/other/hard`);
      await eventually(probe, path, { as: `${folder}/other/hard` });
    });
  },
);

sensorTest("an open is told under each path at which the file is watched", async () => {
  await inFolder(async (folder) => {
    const [one, two] = [`${folder}/one/file`, `${folder}/two/file`];
    const [third, canary] = [`${folder}/three/file`, `${folder}/canary/file`];
    for (const name of ["one", "two", "three", "canary"]) Deno.mkdirSync(`${folder}/${name}`);
    Deno.writeTextFileSync(one, "x");
    for (const path of [two, third, canary]) Deno.linkSync(one, path);
    using probe = watching(
      { type: "file", path: one },
      { type: "file", path: two },
      { type: "tree", path: `${folder}/canary` },
    );
    const openedAs = (record: RecordView): string =>
      new TextDecoder().decode(record.slot("open", "opened_as"));
    // By a name that nobody watches, one that lies in a watched tree, and one that is watched.
    const opens: readonly (readonly [argument: string, paths: readonly string[]])[] = [
      [third, [one, two]],
      [canary, [canary, one, two]],
      [one, [one, two]],
    ];
    for (const [argument, paths] of opens) {
      const before = probe.watchStats();
      const { pid } = await run("cat", [argument]);
      probe.until(() => probe.opens(pid).length >= paths.length);
      assertEquals(
        probe.opens(pid).map((record) => [pathOf(record), openedAs(record)]),
        paths.map((path) => [path, path === argument ? "" : argument]),
      );
      const after = probe.watchStatsWhen(({ seen, submitted }) =>
        Math.min(seen - before.seen, submitted - before.submitted) >= paths.length
      );
      assertEquals(after.submitted - before.submitted, paths.length);
      assertEquals(after.seen - before.seen, paths.length);
    }
  });
});

sensorTest(
  "a file that is watched at too many paths is told at some, the others are lost",
  async () => {
    await inFolder(async (folder) => {
      const paths = Array.from({ length: NAMES_MAX + 3 }, (_, i) => `${folder}/${i}`);
      const other = `${folder}/other/file`;
      Deno.mkdirSync(`${folder}/other`);
      Deno.writeTextFileSync(other, "x");
      for (const path of paths) Deno.linkSync(other, path);
      using probe = watching(...paths.map((path) => ({ type: "file", path }) as const));
      const { pid } = await run("cat", [other]);
      const losses = () => probe.records.filter((record) => record.kindId === KINDS.loss.id);
      probe.until(() => losses().length > 0 && probe.opens(pid).length > 0);
      assertEquals(probe.opens(pid).map(pathOf), paths.slice(0, NAMES_MAX));
      assertEquals(losses().map((record) => record.number("loss", "count")), [3]);
      assertEquals(probe.watchStatsWhen(({ unreadable }) => unreadable >= 3).unreadable, 3);
    });
  },
);

sensorTest("a watched file is seen, a path that did not exist", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/late/deep/secret`;
    using probe = watching({ type: "file", path });
    Deno.mkdirSync(`${folder}/late/deep`, { recursive: true });
    Deno.writeTextFileSync(path, "x");
    await eventually(probe, path);
    Deno.renameSync(`${folder}/late`, `${folder}/gone`);
    Deno.mkdirSync(`${folder}/late/deep`, { recursive: true });
    Deno.writeTextFileSync(path, "y");
    await eventually(probe, path);
  });
});

sensorTest("a watched file is seen through a bind mount", async () => {
  await inFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/real`);
    Deno.mkdirSync(`${folder}/mount`);
    Deno.writeTextFileSync(`${folder}/real/secret`, "x");
    await run("mount", ["--bind", `${folder}/real`, `${folder}/mount`]);
    try {
      using probe = watching({ type: "file", path: `${folder}/real/secret` });
      const openedAs = `${folder}/mount/secret`;
      await expectOpen(probe, { argument: openedAs, path: `${folder}/real/secret`, openedAs });
    } finally {
      await run("umount", [`${folder}/mount`]);
    }
  });
});

sensorTest("other files are not reported, neighbours of a watched one", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/secret`;
    Deno.writeTextFileSync(path, "x");
    Deno.writeTextFileSync(`${folder}/public`, "x");
    Deno.writeTextFileSync(`${folder}/secret2`, "x");
    using probe = watching({ type: "file", path });
    const before = probe.watchStats();
    await run("cat", [`${folder}/public`, `${folder}/secret2`]);
    // Our own opens are let through and not reported.
    Deno.readTextFileSync(path);
    await expectOpen(probe, { argument: path, path });
    assertEquals(probe.opens().length, 1);
    const after = probe.watchStatsWhen(({ filtered, submitted }) =>
      filtered - before.filtered >= 3 && submitted > before.submitted
    );
    assertEquals(after.filtered - before.filtered, 3);
    assertEquals(after.submitted - before.submitted, 1);
  });
});

sensorTest("files of a directory are seen, those directly in it", async () => {
  await inFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/below`);
    using probe = watching({ type: "children", path: folder });
    for (const name of ["one", "two", "below/three"]) {
      Deno.writeTextFileSync(`${folder}/${name}`, "x");
    }
    await run("cat", [`${folder}/below/three`]);
    await expectOpen(probe, { argument: `${folder}/one`, path: `${folder}/one` });
    await expectOpen(probe, { argument: `${folder}/two`, path: `${folder}/two` });
    assertEquals(probe.opens().length, 2);
  });
});

sensorTest("files of a tree are seen, also in directories made or moved in later", async () => {
  await inFolder(async (folder) => {
    const tree = `${folder}/tree`;
    Deno.mkdirSync(`${tree}/a/b`, { recursive: true });
    Deno.writeTextFileSync(`${tree}/a/b/old`, "x");
    using probe = watching({ type: "tree", path: tree });
    await expectOpen(probe, { argument: `${tree}/a/b/old`, path: `${tree}/a/b/old` });
    Deno.mkdirSync(`${tree}/c/d`, { recursive: true });
    Deno.writeTextFileSync(`${tree}/c/d/new`, "x");
    await eventually(probe, `${tree}/c/d/new`);
    Deno.mkdirSync(`${folder}/outside/e`, { recursive: true });
    Deno.writeTextFileSync(`${folder}/outside/e/moved`, "x");
    Deno.renameSync(`${folder}/outside`, `${tree}/inside`);
    await eventually(probe, `${tree}/inside/e/moved`);
    Deno.renameSync(`${tree}/inside`, `${tree}/renamed`);
    await eventually(probe, `${tree}/renamed/e/moved`);
  });
});

sensorTest("an unlinked file is flagged deleted, opened again by its descriptor", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/secret`;
    Deno.writeTextFileSync(path, "x");
    using probe = watching({ type: "file", path });
    const { pid } = await run("sh", ["-c", `exec 3<${path}; rm ${path}; : </proc/self/fd/3`]);
    probe.until(() => probe.opens(pid).length >= 2);
    assertEquals(probe.opens(pid).map((r) => [pathOf(r), r.flags]), [
      [path, 0],
      [path, FLAGS.deleted],
    ]);
  });
});

sensorTest("a change of policy loses no open of a file that stays watched", async () => {
  await inFolder(async (folder) => {
    const race = await compile("race", folder);
    const path = `${folder}/secret`;
    Deno.writeTextFileSync(path, "x");
    const other = `${folder}/other`;
    Deno.mkdirSync(other);
    const keep = { type: "file", path } as const;
    using probe = watching(keep);
    const opens = 4000;
    const running = run(race, ["many", path, String(opens), "2"]);
    let changes = 0;
    for (let seen = 0; seen < opens; changes++) {
      const watches: Watch[] = changes % 2 ? [keep] : [{ type: "children", path: other }, keep];
      probe.set({ kinds: ["open"], watches });
      probe.read(10);
      seen = probe.opens().filter((record) => pathOf(record) === path).length;
      if (changes > 20_000) throw new Error(`Only ${seen} of ${opens} opens were seen`);
    }
    const { pid, lines } = await running;
    assertEquals(lines, [String(opens)]);
    assertEquals(probe.opens(pid).length, opens);
    assert(changes > 2, "the policy never changed while files were opened");
    // A thread is named besides its process.
    assert(probe.opens(pid).every((record) => record.tid !== pid && record.startTimeNs > 0n));
  });
});

sensorTest(
  "counters add up when the queue is full, and no opener waits for the reader",
  async () => {
    await inFolder(async (folder) => {
      const race = await compile("race", folder);
      // In a directory of its own: nobody opens a neighbour of it.
      const path = `${folder}/alone/secret`;
      Deno.mkdirSync(`${folder}/alone`);
      Deno.writeTextFileSync(path, "x");
      using probe = watching({ type: "file", path });
      const opens = 12_000;
      const { pid, lines } = await run(race, ["many", path, String(opens), "2"]);
      assertEquals(lines, [String(opens)]);
      const stats = probe.watchStatsWhen(({ seen, submitted, ringFull }) =>
        seen >= opens && submitted + ringFull >= opens
      );
      probe.drain();
      assertEquals([stats.seen, stats.filtered], [opens, 0]);
      assert(stats.ringFull > 0, "the queue was never full");
      assertEquals(stats.submitted + stats.ringFull, opens);
      assertEquals(probe.opens(pid).length, stats.submitted);
      assertEquals(stats.sequence, opens);
      // Once there is room again the gap shows in the sequence.
      await expectOpen(probe, { argument: path, path });
      assertEquals(probe.opens().at(-1)?.sequence, opens + 1);
    });
  },
);

sensorTest("a lost event is a loss record, and the opener goes on", async () => {
  const bound = "/proc/sys/fs/fanotify/max_queued_events";
  const before = Deno.readTextFileSync(bound);
  await inFolder(async (folder) => {
    const race = await compile("race", folder);
    const path = `${folder}/secret`;
    Deno.writeTextFileSync(path, "x");
    let probe: Probe;
    Deno.writeTextFileSync(bound, "1");
    try {
      probe = watching({ type: "file", path });
    } finally {
      Deno.writeTextFileSync(bound, before);
    }
    using held = probe;
    const opens = 4800;
    const { lines } = await run(race, ["many", path, String(opens), "48"]);
    assertEquals(lines, [String(opens)]);
    const losses = () => held.records.filter((record) => record.kindId === KINDS.loss.id);
    held.until(() => losses().length > 0);
    const outcomes = (of: StatsRow): number =>
      of.submitted + of.filtered + of.ringFull + of.unreadable;
    const lostSoFar = (): number =>
      losses().reduce((sum, loss) => sum + loss.number("loss", "count"), 0);
    held.drain();
    const stats = held.watchStatsWhen((now) =>
      now.seen === outcomes(now) && lostSoFar() === now.unreadable &&
      held.opens().length === now.submitted
    );
    for (const loss of losses()) {
      assertEquals(loss.number("loss", "cause"), 4);
      assertEquals(loss.number("loss", "certain"), 0);
      assertEquals(loss.number("loss", "lost_kind"), KINDS.open.id);
    }
    assertEquals(lostSoFar(), stats.unreadable);
    assert(stats.submitted < opens);
    assertEquals(stats.seen, outcomes(stats));
    assertEquals(held.opens().length, stats.submitted);
  });
});
