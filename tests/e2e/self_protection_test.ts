import { assert, assertEquals } from "@std/assert";
import { releasePinned } from "../../agent/enforce/mod.ts";
import { readSensorFile } from "../../agent/pipeline/sensor_file.ts";
import type { Alert } from "../../common/wire/mod.ts";
import { within } from "../support/eventually.ts";
import { type BpfObject, bpftool, heldBpf } from "../support/held_bpf.ts";
import { canLoadSensor } from "../support/host.ts";
import { immune, ROOT } from "../support/immune.ts";
import { Lines, START_WAIT_MS } from "../support/lines.ts";

/** Longest wait for the agent's next health record, in milliseconds. */
const HEALTH_WAIT_MS = 60_000;
const ignore = !canLoadSensor() || !["/usr/sbin/bpftool", "/usr/bin/gdb"].every(isThere);

/** What it refuses is an address of this test alone. */
const POLICY = `[[entry]]
name = "nowhere"
action = "connect"
mode = "block"
addresses = ["127.${Deno.pid >> 8 & 0xFF}.${Deno.pid & 0xFF}.79"]
ports = [4996]
`;

/** An agent that watches and enforces, with a state folder and settings of its own. */
class Agent {
  readonly folder: string;
  /** Where it pins. */
  readonly pinPath = `/sys/fs/bpf/immune-test-${crypto.randomUUID()}`;
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
      ...["--enforcement-policy", `${this.folder}/policy.toml`],
      ...["--enforcement-when-agent-ends", "pinned", "--enforcement-pin-path", this.pinPath],
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
      await Deno.writeTextFile(`${folder}/policy.toml`, POLICY, { mode: 0o600 });
      const agent = new Agent(folder);
      try {
        await agent.start();
        await body(agent);
      } finally {
        await agent.end("SIGINT");
        releasePinned(agent.pinPath);
      }
      // It was asked to end: the next one has nothing to tell.
      assertEquals(JSON.parse(await Deno.readTextFile(`${folder}/agent/run.json`)).ended, true);
      await Deno.remove(folder, { recursive: true });
    },
  });
}

test("what is done to the agent is told, and put right where it can be", async (agent) => {
  await detachedLink(agent, "on_connect4");
  await detachedLink(agent, "refuse_connect4");
  await changedMap(agent, "control");
  await changedMap(agent, "enforced");
  await lostRow(agent);
  await lostPin(agent);
  await foreignList(agent);
  await killedGuardian(agent);
  await Deno.writeTextFile(`${agent.folder}/immune.toml`, "# not the agent's\n");
  await agent.tampered("file_changed", "immune.toml");
  await Deno.writeTextFile(`/proc/${agent.pid}/oom_score_adj`, "1000");
  await agent.tampered("oom_exposed", "oom_score_adj");
  await toldByProgram(agent, "on_connect4");
  await agent.end("SIGKILL");
  await agent.start();
  const killed = await agent.tampered("killed", "process");
  assertEquals(killed.severity, "critical");
});

test("an agent that is held by a debugger, or stopped, says so", async (agent) => {
  await debugged(agent);
  await stopped(agent);
});

/** The link of a program of this agent alone is forced off its cgroup. */
async function detachedLink(agent: Agent, program: string): Promise<void> {
  const link = await linkOf(agent.pid, program);
  assert(link !== undefined, `the agent has no link of "${program}"`);
  await bpftool("link", "detach", "id", String(link));
  const alert = await agent.tampered("detached", `program ${program}`);
  assertEquals([alert.tamper?.restored, alert.severity], [true, "critical"]);
  assertEquals(alert.process?.pid, agent.pid);
  const after = await linkOf(agent.pid, program);
  assert(after !== undefined && after !== link, "the link is the old one");
}

/** What the agent puts down of its sensor has the gap under the name of the program. */
async function toldByProgram(agent: Agent, program: string): Promise<void> {
  const path = `${agent.folder}/agent/sensor.json`;
  const row = await within(HEALTH_WAIT_MS)(`a gap of ${program}`, () =>
    Promise.resolve(
      readSensorFile(path)?.detached.find((row) => row.program === program),
    ));
  assertEquals(row.count, 1);
  const programs = readSensorFile(path)?.detached.map((row) => row.program);
  assertEquals(programs, [program], "a program of enforcement is none of the sensor");
}

/** A row of the policy's tables is taken out. */
async function lostRow(agent: Agent): Promise<void> {
  const { id } = await mapOf(agent, "enforced_ports");
  const rows = await bpftool("map", "dump", "id", String(id));
  assertEquals(rows.length, 1);
  await bpftool("map", "delete", "id", String(id), "key", ...rows[0]?.key ?? []);
  const alert = await agent.tampered("map_changed", "map enforced_ports");
  assertEquals(alert.tamper?.restored, true);
  assertEquals((await bpftool("map", "dump", "id", String(id))).length, 1);
}

/** A pin is taken away: with it the link would have ended with the agent. */
async function lostPin(agent: Agent): Promise<void> {
  const [set] = [...Deno.readDirSync(agent.pinPath)];
  const pins = `${agent.pinPath}/${set?.name}`;
  const names = (): string[] => [...Deno.readDirSync(pins)].map(({ name }) => name).sort();
  const before = names();
  Deno.removeSync(`${pins}/link_0`);
  const alert = await agent.tampered("file_changed", "pin ");
  assertEquals(alert.tamper?.restored, true);
  assertEquals(names(), before);
}

/** A map of this agent by its name. */
async function mapOf(agent: Agent, wanted: string): Promise<BpfObject> {
  const { map: held } = await heldBpf(agent.pid);
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
async function changedMap(agent: Agent, name: string): Promise<void> {
  const map = await mapOf(agent, name);
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
  const alert = await agent.tampered("map_changed", `map ${name}`);
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

/** The link of a process that runs a program of this name. */
async function linkOf(pid: number, program: string): Promise<number | undefined> {
  const programs = (await bpftool("prog", "show")).filter(({ name }) => name === program)
    .map(({ id }) => id);
  const { link: held } = await heldBpf(pid);
  return (await bpftool("link", "show"))
    .find(({ id, prog_id }) => held.has(id) && programs.includes(prog_id))?.id;
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
