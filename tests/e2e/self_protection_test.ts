import { assert, assertEquals } from "@std/assert";
import { readSensorFile } from "../../agent/pipeline/sensor_file.ts";
import type { Alert } from "../../common/wire/mod.ts";
import { within } from "../support/eventually.ts";
import { canLoadSensor } from "../support/host.ts";
import { immune, ROOT } from "../support/immune.ts";
import { Lines, START_WAIT_MS } from "../support/lines.ts";

/** Longest wait for the agent's next health record, in milliseconds. */
const HEALTH_WAIT_MS = 60_000;
const ignore = !canLoadSensor() || !["/usr/sbin/bpftool", "/usr/bin/gdb"].every(isThere);

/** An agent that watches, with a state folder and settings of its own. */
class Agent {
  readonly folder: string;
  #child: Deno.ChildProcess | undefined;
  #alerts: Lines | undefined;
  #messages: Lines | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    this.#child = immune([
      ...["watch", "--json", "--logs", "off", "--state", this.folder],
      ...["--rules", `${ROOT}rules/ai`],
    ]).spawn();
    this.#messages = new Lines(this.#child.stderr);
    this.#alerts = new Lines(this.#child.stdout);
    await this.#messages.find((line) => line.startsWith("Watching"), { waitMs: START_WAIT_MS });
  }

  /** The next alert of tampering with this. */
  async tampered(what: string, object: string): Promise<Alert> {
    for (;;) {
      const line = await this.#alerts?.find((text) => text.includes('"tamper"'), {
        waitMs: START_WAIT_MS,
      });
      const alert = JSON.parse(line ?? "{}") as Alert;
      if (alert.tamper?.what === what && alert.tamper.object.includes(object)) return alert;
    }
  }

  async end(signal: Deno.Signal): Promise<void> {
    this.#child?.kill(signal);
    await Promise.all([this.#alerts?.drain(), this.#messages?.drain(), this.#child?.status]);
  }
}

/** Gives a test an agent that runs, and sees that it ends as one that was asked to. */
function test(name: string, body: (agent: Agent) => Promise<void>): void {
  Deno.test({
    name: `self-protection: ${name}`,
    ignore,
    fn: async () => {
      const folder = await Deno.makeTempDir();
      await Deno.writeTextFile(`${folder}/immune.toml`, "");
      const agent = new Agent(folder);
      await agent.start();
      try {
        await body(agent);
      } finally {
        await agent.end("SIGINT");
      }
      // It was asked to end: the next one has nothing to tell.
      assertEquals(JSON.parse(await Deno.readTextFile(`${folder}/agent/run.json`)).ended, true);
      await Deno.remove(folder, { recursive: true });
    },
  });
}

test("what is done to the agent is told, and put right where it can be", async (agent) => {
  const program = await detachedLink(agent);
  await changedMap(agent);
  await foreignList(agent);
  await killedGuardian(agent);
  await Deno.writeTextFile(`${agent.folder}/immune.toml`, "# not the agent's\n");
  await agent.tampered("file_changed", "immune.toml");
  await Deno.writeTextFile(`/proc/${agent.pid}/oom_score_adj`, "1000");
  await agent.tampered("oom_exposed", "oom_score_adj");
  await toldByProgram(agent, program);
  await agent.end("SIGKILL");
  await agent.start();
  const killed = await agent.tampered("killed", "process");
  assertEquals(killed.severity, "critical");
});

test("an agent that is held by a debugger, or stopped, says so", async (agent) => {
  await debugged(agent);
  await stopped(agent);
});

/** A link of this agent alone is forced off its cgroup; the program that it was of. */
async function detachedLink(agent: Agent): Promise<string> {
  const before = await linksOf(agent.pid);
  const [link] = before;
  assert(link !== undefined, "the agent has no cgroup link");
  await bpftool("link", "detach", "id", String(link));
  const alert = await agent.tampered("detached", "program on_");
  assertEquals([alert.tamper?.restored, alert.severity], [true, "critical"]);
  assertEquals(alert.process?.pid, agent.pid);
  const after = await linksOf(agent.pid);
  assertEquals(after.size, before.size);
  assert(!after.has(link), "the link is the old one");
  return alert.tamper?.object.replace("program ", "") ?? "";
}

/** What the agent puts down of its sensor has the gap under the name of the program. */
async function toldByProgram(agent: Agent, program: string): Promise<void> {
  const path = `${agent.folder}/agent/sensor.json`;
  const row = await within(HEALTH_WAIT_MS)(`a gap of ${program}`, () =>
    Promise.resolve(
      readSensorFile(path)?.detached.find((row) => row.program === program),
    ));
  assertEquals(row.count, 1);
}

/** A map of this agent by its name. */
async function mapOf(agent: Agent, wanted: string): Promise<BpfMap> {
  const held = await heldBy(agent.pid, "map_id");
  const map = (await bpftool("map", "show"))
    .find(({ id, name }) => name === wanted && held.has(id));
  assert(map !== undefined, `the agent has no map "${wanted}"`);
  return map;
}

/** A list of files that nobody listed is put in the place of the agent's, which has none. */
async function foreignList(agent: Agent): Promise<void> {
  const map = await mapOf(agent, "listed_files");
  const pin = `/sys/fs/bpf/immune-test-${crypto.randomUUID()}`;
  await bpftool(
    ...["map", "create", pin, "type", "bloom_filter", "key", "0", "value", "8"],
    ...["entries", "10", "name", "foreign"],
  );
  const place = ["id", String(map.id), "key", "0", "0", "0", "0"];
  try {
    await bpftool("map", "update", ...place, "value", "pinned", pin);
  } finally {
    await Deno.remove(pin);
  }
  await agent.tampered("map_changed", "map listed_files");
  // The policy was given again: the place is empty as it was.
  const end = Date.now() + START_WAIT_MS;
  while ((await bpftool("map", "dump", "id", String(map.id))).length > 0) {
    assert(Date.now() < end, "the list is still there");
  }
}

/** What the programs of this agent are told is overwritten with zeros. */
async function changedMap(agent: Agent): Promise<void> {
  const map = await mapOf(agent, "control");
  const bytes = Array.from({ length: map.bytes_value }, () => "0");
  await bpftool(
    "map",
    "update",
    "id",
    String(map.id),
    "key",
    "0",
    "0",
    "0",
    "0",
    "value",
    ...bytes,
  );
  const alert = await agent.tampered("map_changed", "map control");
  assertEquals(alert.tamper?.restored, true);
}

/** One of those who answer while the agent stands still is killed: told by the kernel, and by us. */
async function killedGuardian(agent: Agent): Promise<void> {
  const { stdout } = await new Deno.Command("/bin/sh", {
    args: ["-c", `cat /proc/${agent.pid}/task/*/children`],
  }).output();
  const [guardian] = new TextDecoder().decode(stdout).trim().split(/\s+/).map(Number);
  assert(guardian !== undefined && guardian > 0, "the agent has no guardian");
  Deno.kill(guardian, "SIGKILL");
  const alert = await agent.tampered("killed", "guardian");
  assertEquals(alert.tamper?.restored, true);
}

/** A debugger that is attached until it was seen. */
async function debugged(agent: Agent): Promise<void> {
  // gdb stops what it attaches to; it lets it run on, attached.
  const gdb = new Deno.Command("gdb", {
    args: [
      ...["-q", "-nx", "-ex", "set confirm off", "-ex", "set non-stop on"],
      ...["-ex", `attach ${agent.pid}&`],
    ],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    const alert = await agent.tampered("traced", "the agent");
    assertEquals(alert.target?.process.pid, gdb.pid);
  } finally {
    gdb.kill("SIGKILL");
    await gdb.stdin.close().catch(() => {});
    await gdb.status;
  }
}

/** Stopped for as long as counts, and let run on. */
async function stopped(agent: Agent): Promise<void> {
  Deno.kill(agent.pid, "SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, STOPPED_MS));
  Deno.kill(agent.pid, "SIGCONT");
  const alert = await agent.tampered("stopped", "the agent");
  assertEquals(alert.severity, "critical");
}

/** How long the agent is stopped, in milliseconds: more than PAUSE_MS_MAX. */
const STOPPED_MS = 11_500;

/** What `bpftool map show` says of a map. */
interface BpfMap {
  readonly id: number;
  readonly name?: string;
  readonly bytes_value: number;
}

/** Ids of what a process holds open of eBPF, by a word of its fdinfo (proc_pid_fdinfo(5)). */
async function heldBy(pid: number, word: "link_id" | "map_id", also = ""): Promise<Set<number>> {
  const ids = new Set<number>();
  for await (const { name } of Deno.readDir(`/proc/${pid}/fdinfo`)) {
    // Others may have closed it meanwhile.
    const text = await Deno.readTextFile(`/proc/${pid}/fdinfo/${name}`).catch(() => "");
    const id = new RegExp(`^${word}:\\s+(\\d+)$`, "m").exec(text)?.[1];
    if (id !== undefined && text.includes(also)) ids.add(Number(id));
  }
  return ids;
}

async function linksOf(pid: number): Promise<Set<number>> {
  return await heldBy(pid, "link_id", "cgroup_id:");
}

async function bpftool(...args: readonly string[]): Promise<readonly BpfMap[]> {
  const { code, stdout, stderr } = await new Deno.Command("/usr/sbin/bpftool", {
    args: ["--json", ...args],
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr) + new TextDecoder().decode(stdout));
  const text = new TextDecoder().decode(stdout);
  return text.startsWith("[") ? JSON.parse(text) : [];
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
