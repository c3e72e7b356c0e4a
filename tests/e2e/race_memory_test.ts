import { assert, assertEquals } from "@std/assert";
import type { Policy } from "../../agent/sensors/policy.ts";
import { KINDS } from "../../common/record/table.ts";
import { FLAGS } from "../../common/record/values.ts";
import { compile, inFolder, pathOf, Probe, run, sensorTest } from "../support/probe.ts";

/** Acts a race; enough that both outcomes come up. */
const ROUNDS = 2000;
const EXEC_ROUNDS = 150;
/** Opens whose descriptor is replaced at once; some of it before the call has ended. */
const SWAPS = 4000;

async function raceOpens(policy: (a: string, b: string) => Partial<Policy>): Promise<void> {
  await inFolder(async (folder) => {
    const race = await compile("race", folder);
    const paths = [`${folder}/a`, `${folder}/b`] as const;
    for (const path of paths) Deno.writeTextFileSync(path, path);
    const names = new Map(paths.map((path) => [Number(Deno.statSync(path).ino), path]));
    using probe = new Probe({ kinds: ["open"], ...policy(...paths) });
    const { pid, lines } = await run(race, ["open", ...paths, String(ROUNDS)]);
    const mine = () => probe.opens(pid).filter((record) => pathOf(record).startsWith(`${folder}/`));
    // The wide stream also has the program's own file only at exec, which is no open here.
    probe.until(() => mine().length >= ROUNDS);
    assertEquals(mine().map((record) => record.number("open", "inode")), lines.map(Number));
    assertEquals(mine().map(pathOf), lines.map((line) => names.get(Number(line)) ?? "?"));
    assertEquals(new Set(lines).size, 2, "the race was not run: only one file was ever opened");
  });
}

sensorTest("watched opens name what was opened, a path rewritten meanwhile", async () => {
  await raceOpens((a, b) => ({
    watches: [{ type: "file", path: a }, { type: "file", path: b }],
  }));
});

sensorTest(
  "the wide stream of opens names what was opened, a path rewritten meanwhile",
  async () => {
    await raceOpens(() => ({ wideOpen: true }));
  },
);

/** A sensor of one watched file; `wide`: the wide stream is attached, too, and sends nothing. */
function watchingFile(path: string, wide: boolean): Probe {
  const opens = { marks: [], every: 0, deep: 0 };
  const watches = [{ type: "file", path }] as const;
  return new Probe({ kinds: ["open"], watches, ...wide && { wideOpen: true, opens } });
}

for (const wide of [false, true]) {
  const beside = wide ? ", beside the wide stream" : "";

  sensorTest(`watched opens are told, the descriptor replaced meanwhile${beside}`, async () => {
    await inFolder(async (folder) => {
      const race = await compile("race", folder);
      const [path, other] = [`${folder}/in/secret`, `${folder}/other`];
      Deno.mkdirSync(`${folder}/in`);
      for (const name of [path, other]) Deno.writeTextFileSync(name, "x");
      using probe = watchingFile(path, wide);
      const running = run(race, ["swap", path, other, String(SWAPS)]);
      const told = () => probe.opens().filter((record) => pathOf(record) === path).length;
      probe.until(() => told() >= SWAPS);
      const { lines } = await running;
      assertEquals([told(), probe.watchStats().unreadable], [SWAPS, 0]);
      assert(Number(lines[0]) > 0, "the race was not run: no descriptor was ever replaced");
    });
  });

  sensorTest(`a watched file is told by its path, replaced once it is open${beside}`, async () => {
    await inFolder(async (folder) => {
      const race = await compile("race", folder);
      const [path, other] = [`${folder}/in/secret`, `${folder}/other`];
      const link = `${folder}/elsewhere/link`;
      for (const name of ["in", "elsewhere"]) Deno.mkdirSync(`${folder}/${name}`);
      for (const name of [path, other]) Deno.writeTextFileSync(name, "x");
      Deno.linkSync(path, link);
      using probe = watchingFile(path, wide);
      const { pid, lines } = await run(race, ["leave", link, other, path]);
      const mine = () =>
        probe.opens(pid).filter((r) => r.number("open", "inode") === Number(lines[0]));
      probe.until(() => mine().length > 0);
      assertEquals(mine().map(pathOf), [path]);
    });
  });
}

sensorTest("connects name where they went, an address rewritten meanwhile", async () => {
  await inFolder(async (folder) => {
    const race = await compile("race", folder);
    using probe = new Probe({ kinds: ["connect"] });
    const { pid, lines } = await run(race, ["connect", "40961", "40962", String(ROUNDS)]);
    const mine = () => probe.records.filter((r) => r.kindId === KINDS.connect.id && r.pid === pid);
    probe.until(() => mine().length >= ROUNDS);
    assertEquals(mine().map((record) => record.number("connect", "port")), lines.map(Number));
    assertEquals(new Set(lines).size, 2, "the race was not run: only one port was ever used");
  });
});

sensorTest("execs name what runs and how, path and arguments rewritten meanwhile", async () => {
  await inFolder(async (folder) => {
    const race = await compile("race", folder);
    const paths = [`${folder}/race_a`, `${folder}/race_b`] as const;
    for (const path of paths) Deno.copyFileSync(race, path);
    using probe = new Probe({ kinds: ["exec"] });
    const { lines } = await run(race, ["exec", ...paths, String(EXEC_ROUNDS)]);
    assertEquals(lines.length, EXEC_ROUNDS);
    const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
    const said = () =>
      probe.records.filter((record) => record.kindId === KINDS.exec.id)
        .map((r) => [r.pid, text(r.slot("exec", "image")), text(r.slot("exec", "argv"))] as const)
        .filter(([, image]) => paths.some((path) => path === image))
        .map(([pid, image, argv]) => `${pid} ${image} ${argv.split("\0")[2]}`);
    probe.until(() => said().length >= EXEC_ROUNDS);
    assertEquals(said(), lines);
    assertEquals(new Set(lines.map((line) => line.split(" ")[2])).size, 2, "no race on argv");
    assertEquals(new Set(lines.map((line) => line.split(" ")[1])).size, 2, "no race on the path");
  });
});

for (const how of ["fastopen", "uring", "mapped"] as const) {
  sensorTest(`connects are seen with the right process, ${how}`, async () => {
    await inFolder(async (folder) => {
      const connects = await compile("connects", folder);
      using probe = new Probe({ kinds: ["connect"] });
      const { pid, lines } = await run(connects, [how]);
      const mine = () =>
        probe.records.filter((r) => r.kindId === KINDS.connect.id && r.pid === pid);
      probe.until(() => mine().length > 0);
      const [record] = mine();
      assert(record !== undefined);
      assertEquals(mine().length, 1);
      assertEquals(record.number("connect", "port"), Number(lines[0]));
      assertEquals(record.number("connect", "family"), 2);
      assertEquals([...record.address("connect", "address").subarray(0, 4)], [127, 0, 0, 1]);
      assertEquals((record.flags & FLAGS.mapped) !== 0, how === "mapped");
    });
  });
}
