import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Tier } from "../../agent/enforce/mod.ts";
import { within } from "../support/eventually.ts";
import { type BpfIds, bpfLeft, heldBpf } from "../support/held_bpf.ts";
import { canLoadSensor } from "../support/host.ts";
import { blocking, compile, compileSpeaker, hasTier } from "../support/enforcement.ts";
import { run } from "../support/probe.ts";
import { dist, ENVIRONMENT, type RunningUp, runVerb, startUp } from "../support/up.ts";

/** Waits for what takes a while. */
const eventually = within(120_000);
const ignore = !canLoadSensor();

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `kill switch: ${name}`, ignore, fn });
}

interface Outcome {
  readonly outcome: string;
  readonly text: string;
}

interface Fired {
  readonly code: number;
  readonly done: number;
  readonly hosts: number;
  readonly outcomes: readonly Outcome[];
  readonly stderr: string;
}

/** Process of the agent of a state folder. */
function agentOf(state: string): string {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const args = Deno.readTextFileSync(`/proc/${name}/cmdline`).split("\0");
      if (args.includes("agent") && args.includes(state)) return name;
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error("The agent does not run");
}

/** What the agent of a state folder holds of eBPF. */
function held(state: string): Promise<BpfIds> {
  return heldBpf(Number(agentOf(state)));
}

async function use(
  up: RunningUp,
  { verb, shares }: { readonly verb: string; readonly shares: readonly string[] },
): Promise<Fired> {
  const flags = shares.flatMap((share) => ["--share", share]);
  const { code, stdout, stderr } = await runVerb(
    "kill-switch",
    verb,
    ...flags,
    ...["--wait", "120", "--json"],
    ...up.flags,
  );
  const found = stdout === "" ? { done: 0, hosts: 0, outcomes: [] } : JSON.parse(stdout);
  return { code, ...found, stderr };
}

/** True once an exec of this host raises an alert. */
async function alerts(up: RunningUp, port: number): Promise<boolean> {
  await new Deno.Command("bash", { args: ["-c", `: /dev/tcp/127.0.0.1/${port}`] }).output();
  const { stdout } = await runVerb("alerts", "--json", ...up.flags);
  return stdout.includes(`/dev/tcp/127.0.0.1/${port}`);
}

/** A program that the host's own policy refuses, and how one start of it ends. */
async function refusedProgram(
  folder: string,
): Promise<{ readonly policy: string; readonly ran: () => Promise<boolean> }> {
  const [runs, speaker] = [await compile("runs", folder), await compileSpeaker(folder)];
  const policy = `${folder}/policy.toml`;
  await Deno.writeTextFile(policy, blocking("exec", `paths = ["${speaker}"]`), { mode: 0o600 });
  const ran = async (): Promise<boolean> =>
    (await run(runs, ["1", "execve", speaker])).lines.join() === "refused 0 killed 0 ran 1 bytes 6";
  return { policy, ran };
}

test("init, drill, fire, restart, lift: on a real sensor", async () => {
  await dist;
  const folder = await Deno.makeTempDir();
  const state = await Deno.makeTempDir();
  const refused = await refusedProgram(folder);
  const refuses = ["lsm", "fanotify", "signal"].some((tier) => hasTier(tier as Tier, "exec"));
  const environment = { ...ENVIRONMENT, IMMUNE_ENFORCEMENT_POLICY: refused.policy };
  let up = await startUp({ state, environment });
  try {
    const out = `${folder}/shares`;
    const made = await runVerb("kill-switch", "init", "--out", out, "--json", ...up.flags);
    assertEquals(made.code, 0, made.stderr);
    const files: readonly string[] = JSON.parse(made.stdout).files;
    assertEquals(
      files.map((file) => (Deno.statSync(file).mode ?? 0) & 0o777),
      Array(5).fill(0o600),
    );
    const [a = "", b = "", c = "", d = ""] = files;
    const checked = await runVerb("kill-switch", "verify-share", "--share", d, ...up.flags);
    assertMatch(checked.stdout, /Share 4 of 5 is the one that was given/);

    const few = await use(up, { verb: "fire", shares: [a, b] });
    assertEquals(few.code, 1);
    assertStringIncludes(few.stderr, "2 shares of 3");

    const drill = await use(up, { verb: "drill", shares: [a, b, c] });
    assertEquals([drill.code, drill.done, drill.hosts], [0, 1, 1], JSON.stringify(drill));
    assertMatch(drill.outcomes[0]?.text ?? "", /^drill: the sensor would be detached/);
    const programs = await held(state);
    assert(programs.prog.size > 5, `${programs.prog.size} programs`);
    assertEquals((await bpfLeft(programs)).prog, programs.prog.size);
    assertEquals(await refused.ran(), !refuses);
    await eventually("an alert before", async () => await alerts(up, 4811) || undefined);

    const fired = await use(up, { verb: "fire", shares: [d, b, a] });
    assertEquals([fired.code, fired.done], [0, 1], JSON.stringify(fired));
    assertMatch(fired.outcomes[0]?.text ?? "", /^sensor detached: [1-9]\d* programs are gone/);
    assertEquals((await held(state)).prog.size, 0);
    await eventually("none is left", async () => (await bpfLeft(programs)).prog === 0 || undefined);
    assertEquals(await refused.ran(), true);
    const status = await runVerb("kill-switch", "status", "--json", ...up.flags);
    assertEquals(JSON.parse(status.stdout).agents[0].stopped, true);

    // A host that starts again stays off.
    await up.stop();
    up = await startUp({ state, flags: up.flags, environment });
    assertEquals((await held(state)).prog.size, 0);
    assertEquals(await refused.ran(), true);
    assertEquals(await alerts(up, 4812), false);

    const lifted = await use(up, { verb: "lift", shares: [a, c, d] });
    assertEquals([lifted.code, lifted.done], [0, 1], JSON.stringify(lifted));
    assertMatch(lifted.outcomes[0]?.text ?? "", /^sensor attached: the kernel has its [1-9]/);
    assertEquals(await refused.ran(), !refuses);
    await eventually("an alert again", async () => await alerts(up, 4813) || undefined);
  } finally {
    await up.stop();
    await Deno.remove(folder, { recursive: true });
    await Deno.remove(state, { recursive: true });
  }
});

const RULE = `title: Ordered
id: 11111111-2222-4333-8444-555555555555
status: test
level: high
tags: [attack.t1059]
logsource: { category: process_creation, product: linux }
detection:
  selection: { CommandLine|contains: ordered-marker-4711 }
  condition: selection
`;

test("a pack of rules comes into force on order, and the answer names its hash", async () => {
  const up = await startUp();
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/ordered.yml`, RULE);
    const sent = await runVerb("directives", "rules", "--pack", folder, ...up.flags);
    assertEquals(sent.code, 0, sent.stderr);
    const order = /directive\/\d+/.exec(sent.stdout)?.[0] ?? "";
    const found = await eventually("an answer", async (): Promise<Outcome | undefined> => {
      const { stdout } = await runVerb("directives", "show", order, "--json", ...up.flags);
      return stdout === "" ? undefined : JSON.parse(stdout);
    });
    assertEquals(found.outcome, "done", found.text);
    assertMatch(found.text, /^rule set [0-9a-f]{64} active: 1 rules, 0 rejected/);
    await new Deno.Command("bash", { args: ["-c", ": ordered-marker-4711"] }).output();
    await eventually("an alert of the pack", async () => {
      const { stdout } = await runVerb("alerts", "--json", ...up.flags);
      return stdout.includes("ordered-marker-4711") || undefined;
    });
  } finally {
    await up.stop();
    await Deno.remove(folder, { recursive: true });
    await Deno.remove(up.state, { recursive: true });
  }
});
