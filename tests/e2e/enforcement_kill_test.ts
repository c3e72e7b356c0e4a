import { assert, assertEquals, assertThrows } from "@std/assert";
import { releasePinned } from "../../agent/enforce/mod.ts";
import { programsLeft } from "../../agent/sensors/programs.ts";
import { type BpfIds, bpfLeft, heldBpf } from "../support/held_bpf.ts";
import { blocking, compile, compileSpeaker, Refusals, tierTest } from "../support/enforcement.ts";
import { within } from "../support/eventually.ts";
import { immune } from "../support/immune.ts";
import { Lines, START_WAIT_MS } from "../support/lines.ts";
import { inFolder, run } from "../support/probe.ts";
import { RAN, untilRefused } from "../support/starts.ts";

/** SIGKILLs of each mode; the whole number is for `IMMUNE_TEST_KILLS=50`. */
const KILLS = Number(Deno.env.get("IMMUNE_TEST_KILLS") ?? 5);
const PROCESS = new URL("../support/enforcing_process.ts", import.meta.url).pathname;
/** Kernel's programs of this test: exec by signal, connections by cgroup. */
const TIERS = "cgroup,signal";
/** How many those are. */
const PROGRAMS = 8;
/** The kernel frees what is let go a moment later; so long is waited for it, in milliseconds. */
const GONE_WITHIN_MS = 30_000;
const KILLED = "refused 0 killed 1 ran 0 bytes 0";

interface Started {
  readonly child: Deno.ChildProcess;
  /** Its enforcing programs. */
  readonly ids: Uint32Array<ArrayBuffer>;
  /** All of eBPF that it holds, the sensor's own too. */
  readonly held: BpfIds;
  /** Verdicts of the time when no process was there. */
  readonly rescued: number;
}

/** Starts a process that enforces; resolves when its policy is in force. */
async function enforcing(policy: string, pinPath = "", tiers = TIERS): Promise<Started> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", PROCESS, policy, pinPath, tiers],
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
  const held = await heldBpf(child.pid);
  for (const id of ids) assert(held.prog.has(id), `it does not hold program ${id}`);
  // The sensor's own are among them.
  assert(held.prog.size > ids.length && held.link.size > ids.length, "it holds too little");
  return { child, ids: Uint32Array.from(ids), held, rescued };
}

/** Nothing of what a process held is in the kernel: so none of it is pinned either. */
async function nothingLeft(held: BpfIds): Promise<void> {
  await within(GONE_WITHIN_MS)("all of it is gone", async () => {
    const left = await bpfLeft(held);
    return Object.values(left).every((count) => count === 0) ? left : undefined;
  });
}

/** Names on the BPF file system, but for those of tests, which come and go. */
function pinned(): readonly string[] {
  return [...Deno.readDirSync("/sys/fs/bpf")].map(({ name }) => name)
    .filter((name) => !name.startsWith("immune-test-"));
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
    const before = pinned();
    for (let i = 0; i < KILLS; i++) {
      const started = await enforcing(blocking("exec", `paths = ["${speaker}"]`));
      assertEquals(started.ids.length, PROGRAMS);
      assertEquals(await start(), KILLED);
      await kill(started);
      await nothingLeft(started.held);
      assertEquals(await start(), RAN);
    }
    for (const name of pinned()) assert(before.includes(name), `"${name}" was left`);
  }),
});

tierTest("fail open: nothing is left of the program itself either", {
  tier: "signal",
  action: "exec",
  test: withTools(async ({ speaker, start }) =>
    await inFolder(async (folder) => {
      const pinPath = `/sys/fs/bpf/immune-test-${crypto.randomUUID()}`;
      const policy = `${folder}/policy.toml`;
      await Deno.writeTextFile(policy, blocking("exec", `paths = ["${speaker}"]`), { mode: 0o600 });
      const child = immune([
        ...["watch", "--json", "--logs", "off", "--state", `${folder}/state`],
        ...["--enforcement-policy", policy, "--enforcement-pin-path", pinPath],
      ]).spawn();
      const [alerts, messages] = [new Lines(child.stdout), new Lines(child.stderr)];
      await messages.find((line) => line.startsWith("Watching"), { waitMs: START_WAIT_MS });
      assert(await start() !== RAN);
      const held = await heldBpf(child.pid);
      const { prog, map, link } = await bpfLeft(held);
      assert(
        prog > PROGRAMS && map > PROGRAMS && link > PROGRAMS,
        `it held ${prog}, ${map} and ${link}`,
      );
      child.kill("SIGKILL");
      await Promise.all([alerts.drain(), messages.drain(), child.status]);
      await nothingLeft(held);
      assertEquals([await start(), exists(pinPath)], [RAN, false]);
    })
  ),
});

tierTest(`pinned: it goes on, and the next takes it over, ${KILLS} SIGKILLs under load`, {
  tier: "signal",
  action: "exec",
  test: withTools(async ({ speaker, start }) => {
    const pinPath = `/sys/fs/bpf/immune-test-${crypto.randomUUID()}`;
    try {
      let before: Started | undefined;
      for (let i = 0; i < KILLS; i++) {
        const started = await enforcing(blocking("exec", `paths = ["${speaker}"]`), pinPath);
        if (before !== undefined) {
          // The old set is gone, and what it did meanwhile was told.
          await nothingLeft(before.held);
          // One may lie there from before the kill as well.
          assert(started.rescued === 1 || started.rescued === 2, String(started.rescued));
        }
        assertEquals(await start(), KILLED);
        await kill(started);
        assertEquals(programsLeft(started.ids), PROGRAMS);
        // The sensor's own have ended: what is left is what the pins of enforcement hold.
        await within(GONE_WITHIN_MS)("the sensor's own are gone", async () => {
          const { prog, link } = await bpfLeft(started.held);
          return prog === PROGRAMS && link === PROGRAMS ? true : undefined;
        });
        assertEquals(await start(), KILLED);
        assertEquals([...Deno.readDirSync(pinPath)].length, 1);
        before = started;
      }
      assert(before !== undefined);
      assertEquals(releasePinned(pinPath).programs, PROGRAMS);
      await nothingLeft(before.held);
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

tierTest("pinned: a program whose hash was read is refused by the kernel alone, until it changes", {
  tier: "signal",
  action: "exec",
  test: withTools(async ({ speaker, start }) => {
    const pinPath = `/sys/fs/bpf/immune-test-${crypto.randomUUID()}`;
    const bytes = await Deno.readFile(speaker);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    try {
      const policy = blocking("exec", `sha256 = ["${hash}"]`);
      const started = await enforcing(policy, pinPath, "fanotify,signal");
      await untilRefused(start);
      assertEquals(await start(), "refused 1 killed 0 ran 0 bytes 0");
      await kill(started);
      assertEquals(await start(), KILLED);
      await Deno.writeFile(speaker, new Uint8Array([...bytes, 0]));
      assertEquals(await start(), RAN);
    } finally {
      releasePinned(pinPath);
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
