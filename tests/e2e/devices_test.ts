import { assert, assertEquals } from "@std/assert";
import { KINDS } from "../../common/record/table.ts";
import { compileRules, readRuleSources } from "../../common/sigma/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { ROOT } from "../support/immune.ts";
import { inFolder, pathOf, present, Probe, run, sensorTest } from "../support/probe.ts";

/** Runs a test with a device node that has the number of /dev/zero; it is gone afterwards. */
async function withDevice(path: string, test: () => Promise<void>): Promise<void> {
  await run("mknod", [path, "c", "1", "5"]);
  try {
    await test();
  } finally {
    Deno.removeSync(path);
  }
}

sensorTest("an open of a watched device is told, of another device it is not", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/gpu`;
    await withDevice(path, async () => {
      const isAttached = (probe: Probe) =>
        probe.sensor.programs().some(({ name, attached }) => name === "on_device" && attached);
      using probe = new Probe({ kinds: ["exec", "open"], watches: [{ type: "file", path }] });
      assert(isAttached(probe));
      const { pid: other } = await run("/bin/head", ["-c", "1", "/dev/full"]);
      // By its number: under whatever name it is opened.
      await withDevice(`${folder}/innocent`, async () => {
        const { pid } = await run("/bin/head", ["-c", "1", `${folder}/innocent`]);
        probe.until(() => probe.opens(pid).length > 0);
        assertEquals(probe.opens(pid).map(pathOf), [path]);
      });
      const { pid } = await run("/bin/head", ["-c", "1", path]);
      probe.until(() => probe.opens(pid).length > 0);
      assertEquals(probe.opens(pid).map(pathOf), [path]);
      assertEquals(probe.opens(other), []);
      probe.set({ kinds: ["exec", "open"] });
      assert(!isAttached(probe));
    });
  });
});

sensorTest("a block and a character device of the same numbers are told apart", async () => {
  await inFolder(async (folder) => {
    const paths = ["b", "c"].map((type) => `${folder}/${type}`);
    // No driver has these: the open fails, once the kernel has asked whether it is allowed.
    for (const path of paths) await run("mknod", [path, path.slice(-1), "300", "7"]);
    using probe = new Probe({
      kinds: ["exec", "open"],
      watches: paths.map((path) => ({ type: "file", path })),
    });
    for (const path of paths) {
      const { pid } = await run("/bin/sh", ["-c", `true 2>/dev/null <${path} || true`]);
      probe.until(() => probe.opens(pid).length > 0);
      // The kernel asks twice for one of a block device.
      assertEquals(new Set(probe.opens(pid).map(pathOf)), new Set([path]));
    }
  });
});

sensorTest("a device that is made after the policy is watched, also by its folder", async () => {
  const folder = `/dev/immune-test-${crypto.randomUUID()}`;
  const [early, deep] = [`${folder}-early`, `${folder}-deep`];
  using probe = new Probe({
    kinds: ["exec", "open"],
    watches: [
      { type: "file", path: early },
      { type: "tree", path: folder },
      // None of its folders is there, nor of those above.
      { type: "file", path: `${deep}/a/b/node` },
    ],
  });
  const isSeen = async (path: string): Promise<void> => {
    await withDevice(path, async () => {
      let pid = 0;
      // The loader looks when it is polled; an open before that is not seen.
      for (const end = Date.now() + 60_000; probe.opens(pid).length === 0;) {
        assert(Date.now() < end, path);
        probe.read(0);
        ({ pid } = await run("/bin/head", ["-c", "1", path]));
        probe.read(100);
      }
      assertEquals(pathOf(present(probe.opens(pid)[0])), path);
    });
  };
  await isSeen(early);
  try {
    Deno.mkdirSync(`${folder}/below`, { recursive: true });
    await isSeen(`${folder}/node`);
    await isSeen(`${folder}/below/node`);
    for (const below of [deep, `${deep}/a`, `${deep}/a/b`]) {
      Deno.mkdirSync(below);
      probe.read(0);
    }
    await isSeen(`${deep}/a/b/node`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
    Deno.removeSync(deep, { recursive: true });
  }
});

sensorTest("a watch of all devices counts as one that could not be set", () => {
  using probe = new Probe({});
  const watches = [{ type: "children", path: "/dev" }] as const;
  const policy = { kinds: [], wideOpen: false, identity: false, wakeIntervalUs: 0, watches };
  assertEquals(probe.sensor.policy(policy), 1);
});

sensorTest(
  "a program below /tmp that opens a graphics processor raises the pack's alert",
  async () => {
    const sources = await readRuleSources(`${ROOT}rules/ai`);
    const name = "gpu_opened_from_writable_directory.yml";
    const set = compileRules(sources.filter(({ path }) => path.endsWith(name)));
    const path = set.interest.watches.map((watch) => watch.path)
      .find((path) => /^\/dev\/nvidia\d$/.test(path) && !exists(path));
    await inFolder(async (folder) => {
      await withDevice(present(path), async () => {
        Deno.copyFileSync("/usr/bin/head", `${folder}/miner`);
        Deno.chmodSync(`${folder}/miner`, 0o755);
        const engine = await Engine.create();
        engine.publish(set.image);
        using probe = new Probe({ kinds: ["exec", "open"], watches: set.interest.watches });
        const { pid } = await run(`${folder}/miner`, ["-c", "1", present(path)]);
        const other = await run("/usr/bin/head", ["-c", "1", present(path)]);
        probe.until(() => [pid, other.pid].every((of) => probe.opens(of).length > 0));
        const fired = probe.records.filter(({ bytes }) => {
          engine.batch.set(bytes);
          return engine.scan(bytes.length).length > 0;
        });
        assert(fired.length > 0);
        assert(fired.every((record) => record.pid === pid && record.kindId === KINDS.open.id));
      });
    });
  },
);

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
