import { assert, assertEquals, assertThrows } from "@std/assert";
import { releasePinned } from "../../agent/enforce/mod.ts";
import { awaitGone, programsLeft } from "../../agent/sensors/programs.ts";
import { blocking, compile, compileSpeaker, Refusals, tierTest } from "../support/enforcement.ts";
import { inFolder, run } from "../support/probe.ts";

/** SIGKILLs of each mode; the whole number is for `IMMUNE_TEST_KILLS=50`. */
const KILLS = Number(Deno.env.get("IMMUNE_TEST_KILLS") ?? 5);
const PROCESS = new URL("../support/enforcing_process.ts", import.meta.url).pathname;
/** Kernel's programs of this test: exec by signal, connections by cgroup. */
const TIERS = "cgroup,signal";
const RAN = "refused 0 killed 0 ran 1 bytes 6";
const KILLED = "refused 0 killed 1 ran 0 bytes 0";

interface Started {
  readonly child: Deno.ChildProcess;
  readonly ids: Uint32Array<ArrayBuffer>;
  /** Verdicts of the time when no process was there. */
  readonly rescued: number;
}

/** Starts a process that enforces; resolves when its policy is in force. */
async function enforcing(policy: string, pinPath = ""): Promise<Started> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", PROCESS, policy, pinPath, TIERS],
    stdout: "piped",
  }).spawn();
  let said = "";
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  while (!said.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`The process ended with ${(await child.status).code}: ${said}`);
    said += value;
  }
  reader.releaseLock();
  const { ids, rescued } = JSON.parse(said.split("\n")[0] ?? "");
  return { child, ids: Uint32Array.from(ids), rescued };
}

async function kill({ child }: Started): Promise<void> {
  child.kill("SIGKILL");
  assertEquals((await child.status).signal, "SIGKILL");
  await child.stdout.cancel().catch(() => {});
}

interface Tools {
  readonly speaker: string;
  /** How one start of the speaker ends. */
  readonly start: () => Promise<string>;
}

function withTools(test: (tools: Tools) => Promise<void>): () => Promise<void> {
  return () =>
    inFolder(async (folder) => {
      const [runs, speaker] = [await compile("runs", folder), await compileSpeaker(folder)];
      const start = async () => (await run(runs, ["1", "execve", speaker])).lines.join();
      await test({ speaker, start });
    });
}

tierTest(`fail open: nothing is left in the kernel, ${KILLS} SIGKILLs under load`, {
  tier: "signal",
  action: "exec",
  test: withTools(async ({ speaker, start }) => {
    for (let i = 0; i < KILLS; i++) {
      const started = await enforcing(blocking("exec", `paths = ["${speaker}"]`));
      assertEquals(started.ids.length, 7);
      assertEquals(await start(), KILLED);
      await kill(started);
      assertEquals(awaitGone(started.ids), { programs: 7, left: 0 });
      assertEquals(await start(), RAN);
    }
  }),
});

tierTest(`pinned: it goes on, and the next takes it over, ${KILLS} SIGKILLs under load`, {
  tier: "signal",
  action: "exec",
  test: withTools(async ({ speaker, start }) => {
    const pinPath = `/sys/fs/bpf/immune-test-${crypto.randomUUID()}`;
    try {
      let before: Uint32Array<ArrayBuffer> | undefined;
      for (let i = 0; i < KILLS; i++) {
        const started = await enforcing(blocking("exec", `paths = ["${speaker}"]`), pinPath);
        if (before !== undefined) {
          // The old set is gone, and what it did meanwhile was told.
          assertEquals(awaitGone(before), { programs: 7, left: 0 });
          // One may lie there from before the kill as well.
          assert(started.rescued === 1 || started.rescued === 2, String(started.rescued));
        }
        assertEquals(await start(), KILLED);
        await kill(started);
        assertEquals(programsLeft(started.ids), 7);
        assertEquals(await start(), KILLED);
        assertEquals([...Deno.readDirSync(pinPath)].length, 1);
        before = started.ids;
      }
      assert(before !== undefined);
      assertEquals(releasePinned(pinPath), { programs: 7, left: 0 });
      assertEquals(await start(), RAN);
      assertEquals(exists(pinPath), false);
    } finally {
      releasePinned(pinPath);
    }
  }),
});

tierTest("pinned: when it cannot take over what is there, it leaves nothing of its own", {
  tier: "signal",
  action: "exec",
  test: withTools(async ({ speaker, start }) => {
    const pinPath = `/sys/fs/bpf/immune-test-${crypto.randomUUID()}`;
    // What looks like a set and cannot be taken away.
    Deno.mkdirSync(`${pinPath}/1/folder`, { recursive: true });
    try {
      const policy = blocking("exec", `paths = ["${speaker}"]`);
      assertThrows(
        () => new Refusals(policy, { tiers: ["signal"], pinned: true, pinPath }),
        Error,
        "Cannot take over",
      );
      assertEquals([...Deno.readDirSync(pinPath)].map(({ name }) => name), ["1"]);
      assertEquals(await start(), RAN);
    } finally {
      for (const path of [`${pinPath}/1/folder`, `${pinPath}/1`, pinPath]) Deno.removeSync(path);
    }
  }),
});

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
