import { assert, assertEquals } from "@std/assert";
import { blocking, compile, compileSpeaker, tierTest } from "../support/enforcement.ts";
import { within } from "../support/eventually.ts";
import { Lines, START_WAIT_MS } from "../support/lines.ts";
import { inFolder, run } from "../support/probe.ts";

const PROCESS = new URL("../support/held_process.ts", import.meta.url).pathname;
const RAN = "refused 0 killed 0 ran 1 bytes 6";
const REFUSED = "refused 1 killed 0 ran 0 bytes 0";
/** Longest that an opener waits for a process that stands still, in milliseconds; a second here. */
const WAIT_MS_MAX = 20_000;

/** What the held process counted. */
interface Counted {
  readonly unseen: number;
  readonly failed: number;
  readonly found: { readonly what: string; readonly restored: boolean } | null;
}

/** A process whose answers others wait for. */
class Held {
  readonly #child: Deno.ChildProcess;
  readonly #lines: Lines;

  constructor(...args: readonly string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", PROCESS, ...args],
      stdout: "piped",
    }).spawn();
    this.#lines = new Lines(this.#child.stdout);
  }

  /** What it counts once that is so. */
  async counted(accept: (counted: Counted) => boolean): Promise<Counted> {
    return JSON.parse(
      await this.#lines.find((line) => accept(JSON.parse(line)), { waitMs: START_WAIT_MS }),
    );
  }

  /** Stops it, all threads; what is done meanwhile, and lets it go on. */
  async stopped(body: () => Promise<void>): Promise<void> {
    const { pid } = this.#child;
    // Should the test end in the middle, the host does not wait.
    const safety = new Deno.Command("/bin/sh", { args: ["-c", `sleep 60; kill -CONT ${pid}`] })
      .spawn();
    this.#child.kill("SIGSTOP");
    try {
      // The signal is taken by one thread; the others run until that one has.
      while (!standsStill(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
      await body();
      assert(standsStill(pid), "it did not stand still meanwhile");
    } finally {
      this.#child.kill("SIGCONT");
      safety.kill("SIGKILL");
      await safety.status;
    }
  }

  /** Processes that it started to answer in its place, once both run the guardian's program. */
  async guardians(): Promise<readonly number[]> {
    const end = performance.now() + START_WAIT_MS;
    let found = await this.#started();
    while (found.length < 2 && performance.now() < end) found = await this.#started();
    return found;
  }

  async #started(): Promise<readonly number[]> {
    const children = await shell(`cat /proc/${this.#child.pid}/task/*/children || true`);
    const names = await Promise.all(
      children.split(/\s+/).filter((text) => text !== "").map(async (pid) =>
        [Number(pid), await Deno.readTextFile(`/proc/${pid}/comm`).catch(() => "")] as const
      ),
    );
    return names.filter(([, name]) => name.startsWith("immune-guardian")).map(([pid]) => pid);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await Promise.all([this.#lines.drain(), this.#child.status]);
  }
}

/** Whether every thread of a process is stopped. */
function standsStill(pid: number): boolean {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/task`)].every(({ name }) =>
      Deno.readTextFileSync(`/proc/${pid}/task/${name}/status`).includes("State:\tT")
    );
  } catch {
    // One of them has ended just now.
    return false;
  }
}

/** When a process began, in ticks since the boot (proc_pid_stat(5)); `undefined` = it has ended. */
function startOf(pid: number): string | undefined {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ")[19];
  } catch {
    return undefined;
  }
}

async function shell(script: string): Promise<string> {
  return (await run("/bin/sh", ["-c", script])).lines.join(" ");
}

/** What an open or start came to, which must not wait for long. */
async function soon<T>(act: Promise<T>): Promise<T> {
  const begun = performance.now();
  const done = await act;
  const took = performance.now() - begun;
  assert(took < WAIT_MS_MAX, `it waited ${took.toFixed(0)} ms`);
  return done;
}

tierTest("while the agent stands still opens and programs go on, counted; guardians end with it", {
  tier: "fanotify",
  action: "exec",
  test: () =>
    inFolder(async (folder) => {
      const [runs, speaker] = [await compile("runs", folder), await compileSpeaker(folder)];
      const [path, other] = [`${folder}/secret`, `${folder}/programs`];
      await Deno.mkdir(other);
      await Deno.writeTextFile(path, "x\n");
      // In a folder of its own: nothing else is asked about by what refuses.
      await Deno.rename(speaker, `${other}/speak`);
      const held = new Held(path, blocking("exec", `paths = ["${other}/speak"]`));
      const open = (): Promise<string> => shell(`cat ${path}`);
      const start = async (): Promise<string> =>
        (await run(runs, ["1", "execve", `${other}/speak`])).lines.join();
      try {
        assertEquals(await held.counted(() => true), { unseen: 0, failed: 0, found: null });
        assertEquals(await start(), REFUSED);
        const before = await held.guardians();
        assertEquals(before.length, 2);
        await held.stopped(async () => {
          assertEquals(await soon(open()), "x");
          assertEquals(await soon(start()), RAN);
        });
        const told = await held.counted(({ unseen, failed }) => unseen > 0 && failed > 0);
        // Neighbours of the watched file are among the unseen.
        assertEquals([told.failed, told.found], [1, null]);
        assertEquals(await start(), REFUSED);
        // Without guardians it says so, and has others.
        for (const pid of before) Deno.kill(pid, "SIGKILL");
        const { found } = await held.counted(({ found }) => found !== null);
        assertEquals([found?.what, found?.restored], ["guardian", true]);
        await held.counted(({ found }) => found === null);
        await held.stopped(async () => assertEquals(await soon(open()), "x"));
        assertEquals(await start(), REFUSED);
        const after = await held.guardians();
        assertEquals(after.length, 2);
        const begun = after.map(startOf);
        await held.kill();
        assertEquals(await soon(start()), RAN);
        assertEquals(await soon(open()), "x");
        await within(START_WAIT_MS)("they ended", () =>
          // Another process may have the number of one by then.
          Promise.resolve(after.every((pid, i) => startOf(pid) !== begun[i]) || undefined));
      } finally {
        await held.kill().catch(() => {});
      }
    }),
});
