import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { CountedPlace } from "../../agent/pipeline/sensor_file.ts";
import type { Alert } from "../../common/wire/alert.ts";
import { OUTCOMES } from "../../common/wire/tally.ts";
import { bpfLeft, heldBpf } from "../support/held_bpf.ts";
import { canLoadSensor } from "../support/host.ts";
import { freeAddresses } from "../support/ports.ts";
import { dist, ENVIRONMENT, type RunningUp, runVerb, startUp } from "../support/up.ts";
import { ROOT } from "../support/immune.ts";

/** Longest time from a command to its alert in the hive's store, in milliseconds. */
const ALERT_WITHIN_MS = 2000;
/** Commands until one is in time. */
const TRIES_MAX = 30;
/** Longest wait for what takes a while: a part that starts again. */
const EVENTUALLY_MS = 120_000;
/** Longest wait for the agent's next health record, in milliseconds. */
const NEXT_HEALTH_MS = 150_000;
/** CAP_DAC_READ_SEARCH, NET_ADMIN, SYS_PTRACE, SYS_ADMIN, PERFMON, BPF (capabilities(7)). */
const AGENT_CAPABILITIES = "000000c000281004";

const ignore = !canLoadSensor();

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `up: ${name}`, ignore, fn });
}

test("root with a home and no state folder named has both parts in /var/lib/immune", async () => {
  const [console, agents, enroll] = freeAddresses();
  const up = await startUp({
    // That folder is this test's alone: nothing of the host's own comes into it, nor stays.
    prefix: ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /var/lib && exec "$0" "$@"'],
    flags: ["--console", console, "--agents", agents, "--enroll", enroll],
    environment: { ...ENVIRONMENT, HOME: "/root" },
  });
  try {
    assert(up.lines.includes("State    /var/lib/immune"), up.lines.join("\n"));
    assertStringIncludes(up.lines.join("\n"), `Console  http://${console}/login?code=`);
  } finally {
    assertEquals(await up.stop(), 0);
  }
});

test("an alert is in the store within two seconds, and the ledgers add up", async () => {
  const up = await startUp();
  try {
    assertEquals(up.lines.map((line) => line.split(" ")[0]), [
      ...(up.lines[0]?.startsWith("Enrolled") ? ["Enrolled"] : []),
      "Sensor",
      "State",
      "Console",
      "Stop",
      "Remove",
    ]);
    const [alert, elapsed] = await bestAlert(up);
    assert(elapsed < ALERT_WITHIN_MS, `it took ${elapsed} ms`);
    assertStringIncludes(alert.process?.command_line ?? "", "bash -c : /dev/tcp/127.0.0.1/47");
    const { stdout } = await runVerb("alerts", "--json", ...up.flags);
    const shown = stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line) as Alert);
    assertEquals(shown.filter(({ id }) => id === alert.id).length, 1);
    const agents = await runVerb("agents", "list", "--json", ...up.flags);
    const { online, ledger } = JSON.parse(agents.stdout);
    assertEquals([online, ledger.made], [true, ledger.stored + ledger.lost]);
    // The agent's first health record is on its way since the start.
    await eventually(async () => (await figures(up)).scans > 0);
    assert((await figures(up)).rules > 0);
    // What its hooks saw is told with it, and adds up; `tests/e2e/flood_test.ts` counts for itself.
    // The first record may be older than the first exec: the next one has it.
    await eventually(async () => {
      const status = JSON.parse((await runVerb("status", "--json", ...up.flags)).stdout);
      const kinds = status.sensor.kinds as readonly ({ kind: string; seen: number })[];
      return kinds.some(({ kind, seen }) => kind === "exec" && seen > 0);
    }, NEXT_HEALTH_MS);
    // This host's agent tells each kind and CPU, and the tables: the hive has the tables too.
    const { hostSensor, sensor } = JSON.parse(
      (await runVerb("status", "--json", ...up.flags)).stdout,
    );
    const places = hostSensor.places as readonly CountedPlace[];
    assert(places.some(({ kind, cpu, seen }) => kind === "exec" && cpu !== null && seen > 0));
    assert(places.some(({ part, submitted }) => part === "processes" && submitted > 0));
    for (const row of places) {
      assertEquals(row.seen, OUTCOMES.reduce((sum, outcome) => sum + row[outcome], 0));
    }
    assert(sensor.tables.some(({ table }: { table: string }) => table === "processes"));
    assertMatch((await runVerb("status", ...up.flags)).stdout, /^exec +\d+ +\d+ +\d+ +0 +0 /m);
  } finally {
    await end(up);
  }
});

test("each part has the rights that it needs and no others", async () => {
  const up = await startUp();
  try {
    const hive = partOf(up, "hive");
    assertEquals(hive.uid === "0", false);
    assertEquals([hive.capabilities, hive.noNewPrivileges], ["0000000000000000", "1"]);
    assert(!hive.flags.some((flag) => /^(-A|--allow-(all|ffi|run))/.test(flag)), hive.flags.join());
    const agent = partOf(up, "agent");
    assertEquals([agent.uid, agent.capabilities, agent.noNewPrivileges], [
      "0",
      AGENT_CAPABILITIES,
      "1",
    ]);
    assert(!agent.flags.some((flag) => /^(-A|--allow-(all|run))/.test(flag)), agent.flags.join());
    assert(agent.flags.some((flag) => flag.startsWith("--allow-ffi=/")), agent.flags.join());
  } finally {
    await end(up);
  }
});

test("a login link works once", async () => {
  const up = await startUp();
  try {
    const first = await fetch(up.login, { redirect: "manual" });
    await first.body?.cancel();
    const form = first.status === 200;
    const used = form ? await signIn(up.login) : first;
    await used.body?.cancel();
    assertMatch(used.headers.get("set-cookie") ?? "", /HttpOnly/i);
    const again = form ? await signIn(up.login) : await fetch(up.login, { redirect: "manual" });
    await again.body?.cancel();
    assertEquals(again.headers.get("set-cookie"), null);
  } finally {
    await end(up);
  }
});

test("a part that is killed starts again, and nothing is lost or doubled", async () => {
  const up = await startUp();
  try {
    for (const part of ["hive", "agent"]) {
      const { pid } = partOf(up, part);
      Deno.kill(pid, "SIGKILL");
      await eventually(() => {
        const now = pidsOf(up, part);
        return now.length === 1 && now[0] !== pid;
      });
      await eventually(async () => (await runVerb("status", ...up.flags)).code === 0);
      // What happens while a sensor is not attached yet is not seen, and that is said: try again.
      const text = `/dev/tcp/127.0.0.1/${part === "hive" ? 4712 : 4713}`;
      await eventually(() => alertOf(up, text, ALERT_WITHIN_MS).then(() => true));
    }
    const { stdout } = await runVerb("agents", "list", "--json", ...up.flags);
    const { ledger } = JSON.parse(stdout);
    assertEquals(ledger.made, ledger.stored + ledger.lost);
    const alerts = (await runVerb("alerts", "--json", ...up.flags)).stdout.split("\n")
      .filter(Boolean).map((line) => (JSON.parse(line) as Alert).id);
    assertEquals(new Set(alerts).size, alerts.length);
  } finally {
    await end(up);
  }
});

test("uninstall --purge leaves nothing of ours", async () => {
  const before = new Set(await traces());
  const up = await startUp();
  const held = await heldBpf(partOf(up, "agent").pid);
  assert(held.prog.size > 0 && held.link.size > 0 && held.map.size > 0);
  assertEquals(await up.stop(), 0);
  const { code, stdout } = await runVerb("uninstall", "--purge", "--json", ...up.flags);
  assertEquals(code, 0);
  const { state, removed } = JSON.parse(stdout);
  assertEquals([state, removed], [up.state, true]);
  assertEquals(await exists(up.state), false);
  // The kernel lets go of programs a moment after who had them ended, and others come and go.
  await eventually(async () => (await traces()).every((trace) => before.has(trace)));
  await eventually(async () => Object.values(await bpfLeft(held)).every((count) => count === 0));
});

test("dist alone, with an empty environment and network, raises the same alert", async () => {
  await dist;
  const folder = await Deno.makeTempDir();
  const copied = await new Deno.Command("cp", { args: ["-r", `${ROOT}dist/.`, folder] }).output();
  assert(copied.success);
  const up = await startUp({
    launcher: `${folder}/immune`,
    prefix: ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"],
  });
  try {
    await sh(": /dev/tcp/127.0.0.1/4714");
    // The hive listens in a network of its own: ask from within it.
    const inside = ["-t", String(partOf(up, "hive").pid), "-n", `${folder}/immune`, "alerts"];
    await eventually(async () => {
      const { stdout } = await new Deno.Command("nsenter", {
        args: [...inside, "--json", ...up.flags],
        clearEnv: true,
        env: { ...ENVIRONMENT },
      }).output();
      return new TextDecoder().decode(stdout).includes("/dev/tcp/127.0.0.1/4714");
    });
  } finally {
    await end(up);
    await Deno.remove(folder, { recursive: true });
  }
});

async function end(up: RunningUp): Promise<void> {
  assertEquals(await up.stop(), 0);
  await runVerb("uninstall", "--purge", ...up.flags);
}

async function sh(command: string): Promise<void> {
  await new Deno.Command("bash", { args: ["-c", command], stdout: "null", stderr: "null" })
    .output();
}

/** Scans that the metrics count, and rules in force as the status has them. */
async function figures(up: RunningUp): Promise<{ readonly scans: number; readonly rules: number }> {
  const metrics = await (await ask(up, "/metrics")).text();
  const scans = /^immune_scan_latency_seconds_count (\d+)$/m.exec(metrics)?.[1];
  const { activePatterns } = await (await ask(up, "/api/v1/status")).json();
  return { scans: Number(scans ?? 0), rules: Number(activePatterns ?? 0) };
}

async function ask(up: RunningUp, path: string): Promise<Response> {
  const base = `http://${up.flags[up.flags.indexOf("--console") + 1]}`;
  const token = (await Deno.readTextFile(`${up.state}/operator.token`)).trim();
  return await fetch(`${base}${path}`, { headers: { authorization: `Bearer ${token}` } });
}

/** Runs a shell with such an argument, and waits until the API has its alert, or throws. */
async function alertOf(up: RunningUp, text: string, within = EVENTUALLY_MS): Promise<Alert> {
  await sh(`: ${text}`);
  let found: Alert | undefined;
  await eventually(async () => {
    const response = await ask(up, "/api/v1/alerts?last=1h");
    const { alerts } = await response.json() as { alerts: Alert[] };
    found = alerts.find((alert) => alert.process?.command_line?.includes(text));
    return found !== undefined;
  }, within);
  if (found === undefined) throw new Error(`No alert with "${text}"`);
  return found;
}

/** The first in time of some: a host that is busy for a while says nothing about the way. */
async function bestAlert(up: RunningUp): Promise<readonly [alert: Alert, elapsedMs: number]> {
  for (let port = 4711;; port++) {
    const started = performance.now();
    const alert = await alertOf(up, `/dev/tcp/127.0.0.1/${port}`);
    const elapsed = performance.now() - started;
    if (elapsed < ALERT_WITHIN_MS || port === 4710 + TRIES_MAX) return [alert, elapsed];
  }
}

async function signIn(link: string): Promise<Response> {
  const url = new URL(link);
  return await fetch(`${url.origin}${url.pathname}`, {
    method: "POST",
    headers: { origin: url.origin, "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ code: url.searchParams.get("code") ?? "" }),
    redirect: "manual",
  });
}

async function eventually(
  isSo: () => boolean | Promise<boolean>,
  within = EVENTUALLY_MS,
): Promise<void> {
  const deadline = performance.now() + within;
  for (;;) {
    // A hive that is being started again refuses connections: that is no answer yet.
    if (await Promise.resolve(isSo()).catch(() => false)) return;
    if (performance.now() > deadline) throw new Error(`Not so within ${within} ms: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

interface Part {
  readonly pid: number;
  readonly uid: string;
  readonly capabilities: string;
  readonly noNewPrivileges: string;
  readonly flags: readonly string[];
}

function partOf(up: RunningUp, verb: string): Part {
  const [pid = 0] = pidsOf(up, verb);
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const line = (name: string): string =>
    new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(status)?.[1] ?? "";
  return {
    pid,
    uid: line("Uid"),
    capabilities: line("CapEff"),
    noNewPrivileges: line("NoNewPrivs"),
    flags: argumentsOf(pid).filter((argument) => argument.startsWith("-")),
  };
}

/** Processes of this `up` that run a verb. */
function pidsOf(up: RunningUp, verb: string): number[] {
  return [...Deno.readDirSync("/proc")].map((entry) => Number(entry.name)).filter((pid) => {
    if (!Number.isInteger(pid)) return false;
    const found = argumentsOf(pid);
    return found.includes(up.state) &&
      found[found.findIndex((each) => each.endsWith(".js")) + 1] ===
        verb;
  });
}

function argumentsOf(pid: number): string[] {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
  } catch {
    return [];
  }
}

/** What a run could leave on the host besides its state and what its agent holds of eBPF. */
async function traces(): Promise<readonly string[]> {
  const [users, groups, cgroups] = await Promise.all([
    Deno.readTextFile("/etc/passwd"),
    Deno.readTextFile("/etc/group"),
    new Deno.Command("find", {
      args: ["/sys/fs/cgroup", "-type", "d", "-name", "*immune*"],
      stderr: "null",
    }).output().then(({ stdout }) => new TextDecoder().decode(stdout)),
  ]);
  const pinned = await exists("/sys/fs/bpf") ? [...Deno.readDirSync("/sys/fs/bpf")] : [];
  return [
    ...[users, groups, cgroups].flatMap((text) => text.split("\n")),
    ...pinned.map(({ name }) => `pinned ${name}`),
  ];
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
