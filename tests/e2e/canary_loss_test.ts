import { assertEquals, assertMatch } from "@std/assert";
import { compile, compileSpeaker, hasTier } from "../support/enforcement.ts";
import { type FleetHost, TestFleet } from "../support/fleet.ts";
import { canLoadSensor } from "../support/host.ts";
import { run } from "../support/probe.ts";
import { within } from "../support/eventually.ts";

const HOUR_S = 3600;
/** Waits for what takes a while. */
const eventually = within(60_000);
/** A port that nobody listens on: who may connect to it is told that it is closed. */
const PORT = 4899;

/** One host of a fleet whose own policy refuses a program and a port. */
interface Refusing extends AsyncDisposable {
  readonly fleet: TestFleet;
  readonly host: FleetHost;
  readonly args: readonly string[];
  /** What is refused now: `exec`, `connect`. */
  readonly refused: () => Promise<readonly string[]>;
}

async function refusing(): Promise<Refusing> {
  const fleet = await TestFleet.start();
  const host = await fleet.host("held");
  const [runs, speaker] = [
    await compile("runs", fleet.folder),
    await compileSpeaker(fleet.folder),
  ];
  const policy = `${fleet.folder}/policy.toml`;
  const entry = (action: string, rest: string): string =>
    `[[entry]]\nname = "${action}"\naction = "${action}"\nmode = "block"\n${rest}\n`;
  await Deno.writeTextFile(
    policy,
    entry("exec", `paths = ["${speaker}"]`) +
      entry("connect", `addresses = ["127.0.0.1"]\nports = [${PORT}]`),
    { mode: 0o600 },
  );
  const refused = async (): Promise<readonly string[]> => {
    const { lines } = await run(runs, ["1", "execve", speaker]);
    const { stderr } = await new Deno.Command("bash", {
      args: ["-c", `: < /dev/tcp/127.0.0.1/${PORT}`],
      env: { LC_ALL: "C" },
    }).output();
    return [
      ...(lines.join() === "refused 0 killed 0 ran 1 bytes 6" ? [] : ["exec"]),
      ...(new TextDecoder().decode(stderr).includes("Connection refused") ? [] : ["connect"]),
    ];
  };
  return {
    fleet,
    host,
    args: ["--enforcement-policy", policy],
    refused,
    [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose](),
  };
}

/** How the hive last heard that the dead man's switch of its only host stands. */
async function heard({ fleet }: Refusing, state: string): Promise<void> {
  await eventually(`canary ${state}`, async () => {
    const { agents } = await (await fleet.api("/api/v1/kill-switch")).json();
    const { canary, heardAt = null } = agents[0] ?? {};
    return heardAt !== null && canary === state ? true : undefined;
  });
}

/** What `immune status` on the host says about it. */
async function status({ host }: Refusing, flags: readonly string[]): Promise<string> {
  return (await host.run(["status", ...flags])).stdout;
}

/** Switches of enforcement in the agent's audit log. */
async function switches({ fleet, host }: Refusing): Promise<readonly string[]> {
  const { code, stdout } = await fleet.verb(
    "audit",
    "verify",
    "--log",
    `${fleet.folder}/${host.name}/agent/audit`,
  );
  assertEquals(code, 0, stdout);
  const folder = `${fleet.folder}/${host.name}/agent/audit`;
  const files = [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".ndjson"));
  return files.flatMap(({ name }) => Deno.readTextFileSync(`${folder}/${name}`).trim().split("\n"))
    .map((line) => JSON.parse(line))
    .filter(({ action }) => /^enforcement\.(pause|resume)$/.test(action))
    .map(({ action, decision, detail }) => `${action} ${decision}: ${detail.finding}`);
}

const ignore = !canLoadSensor() || !hasTier("cgroup", "connect") || !hasTier("fanotify", "exec") ||
  !hasTimeNamespaces();

/** A program is in its own after its exec from Linux 6.1 on. */
function hasTimeNamespaces(): boolean {
  const { success, stdout } = new Deno.Command("unshare", {
    args: ["--time", "--boottime", String(HOUR_S), "readlink", "/proc/self/ns/time"],
  }).outputSync();
  return success &&
    new TextDecoder().decode(stdout).trim() !== Deno.readLinkSync("/proc/self/ns/time");
}

Deno.test({
  name:
    "canary: a host whose hive is silent for 48 h refuses nothing until the next one, or goes on",
  ignore,
  fn: async () => {
    await using held = await refusing();
    const { fleet, host } = held;
    const observe = ["--on-canary-loss", "observe"];
    const args = [...held.args, ...observe];
    {
      const agent = await host.startAgent({ args });
      await heard(held, "fresh");
      assertEquals(await held.refused(), ["exec", "connect"]);
      await agent[Symbol.asyncDispose]();
    }
    await fleet.stopHive();
    {
      const agent = await host.startAgent({ args, laterS: 37 * HOUR_S });
      const warned = await agent.says((line) => line.includes("No canary of"));
      assertMatch(warned, /for 37 h: this host will stop blocking and only detect; is the hive/);
      assertEquals(await held.refused(), ["exec", "connect"]);
      await agent[Symbol.asyncDispose]();
    }
    {
      const agent = await host.startAgent({ args, laterS: 49 * HOUR_S });
      // From its first moment on.
      assertEquals(await held.refused(), []);
      const lost = await agent.says((line) => line.includes("No canary of"));
      assertMatch(lost, /for 49 h: it counts as lost; this host detects and does not block/);
      await agent.says((line) => line.endsWith("only detects: the kernel refuses nothing"));
      const said = /^This host has had no canary for 49 h: it refuses nothing until the next one/m;
      assertMatch(await status(held, observe), said);
      await agent[Symbol.asyncDispose]();
    }
    await fleet.startHive();
    {
      const agent = await host.startAgent({ args, laterS: 50 * HOUR_S });
      await agent.says((line) => line.includes("canary is fresh again"));
      await agent.says((line) => line.endsWith("may block again: the kernel refuses again"));
      assertEquals(await held.refused(), ["exec", "connect"]);
      await heard(held, "fresh");
      await agent[Symbol.asyncDispose]();
    }
    await fleet.stopHive();
    {
      const agent = await host.startAgent({ args: held.args, laterS: 99 * HOUR_S });
      const lost = await agent.says((line) => line.includes("No canary of"));
      assertMatch(
        lost,
        /for 49 h: it counts as lost; nothing changes here \(on_canary_loss = "keep"/,
      );
      assertEquals(await held.refused(), ["exec", "connect"]);
      await agent[Symbol.asyncDispose]();
    }
    assertEquals(await switches(held), [
      "enforcement.pause done: the kernel refuses nothing",
      "enforcement.pause done: the kernel refuses nothing",
      "enforcement.resume done: the kernel refuses again",
    ]);
  },
});
