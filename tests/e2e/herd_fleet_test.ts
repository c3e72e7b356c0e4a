import { assert, assertEquals, assertMatch } from "@std/assert";
import { FakeClock } from "../../common/config/mod.ts";
import type { Alert } from "../../common/wire/mod.ts";
import { HERD_LIMITS } from "../../hive/herd/mod.ts";
import { SqliteStore } from "../../hive/store/mod.ts";
import { type FleetHost, TestFleet } from "../support/fleet.ts";
import { canLoadSensor } from "../support/host.ts";
import { within } from "../support/eventually.ts";

/** Waits for what takes a while. */
const eventually = within(240_000);
/** In no other process's arguments. */
const MARK = crypto.randomUUID().replaceAll("-", "");
const FOLDER = `/var/tmp/${MARK}`;
/** Where nothing is suspicious. */
const QUIET = `/opt/${MARK}`;
const SHELL = `${FOLDER}/bash`;
const CONNECTS = ": /dev/tcp/127.0.0.1/4444";

async function shell(command: string): Promise<void> {
  await new Deno.Command(SHELL, { args: ["-c", command] }).output();
}

async function alerts(fleet: TestFleet): Promise<readonly Alert[]> {
  return (await (await fleet.api("/api/v1/alerts?last=1d&limit=1000")).json()).alerts;
}

/** A host's own alert about the marked shell. */
function own(fleet: TestFleet, name: string): Promise<Alert> {
  return eventually(
    `an alert of ${name}`,
    async () =>
      (await alerts(fleet)).find(({ host, process }) =>
        host.name === name && process?.executable === SHELL
      ),
  );
}

/** Waits until the alert of a command is at the hive, and with it all that was before. */
async function behind(fleet: TestFleet, command: string): Promise<void> {
  const isIt = ({ process }: Alert): boolean => process?.command_line?.includes(command) ?? false;
  await eventually("the alert behind it", async () => (await alerts(fleet)).find(isIt));
}

/** Makes a folder that goes with the test. */
async function made(folder: string): Promise<AsyncDisposable> {
  await Deno.mkdir(folder);
  return { [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

/** Runs a program again and again until it is disposed of. */
function doesAllDay(program: string): AsyncDisposable {
  const over = new AbortController();
  const run = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await new Deno.Command(program).output();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const running = run();
  return {
    [Symbol.asyncDispose]: (): Promise<void> => {
      over.abort();
      return running;
    },
  };
}

async function said(host: FleetHost, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await host.run(["herd", ...args]);
  assertEquals(code, 0, stderr);
  return stdout.trim();
}

async function verb(fleet: TestFleet, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await fleet.verb(...args);
  assertEquals(code, 0, stderr);
  return stdout;
}

function lines<T>(text: string): readonly T[] {
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** Waits until a host says that this is true of the antibodies that it is to have. */
async function found(fleet: TestFleet, pattern: RegExp): Promise<void> {
  await eventually(String(pattern), async () => {
    const orders = lines<{ stream: string; number: number; kind: string }>(
      await verb(fleet, "directives", "list", "--json"),
    );
    for (const { stream, number, kind } of orders) {
      if (kind !== "antibodies") continue;
      const shown = await verb(fleet, "directives", "show", `${stream}/${number}`, "--json");
      if (lines<{ text: string }>(shown).some(({ text }) => pattern.test(text))) return true;
    }
    return undefined;
  });
}

/** Lets the time of a canary host pass, while the hive is away. */
async function seasoned(fleet: TestFleet): Promise<void> {
  await fleet.stopHive();
  const clock = new FakeClock(Date.now() + HERD_LIMITS.canaryMs);
  const store = new SqliteStore(`${fleet.folder}/hive/hive/store.db`, { clock });
  await store.herd("tick", undefined);
  await store.close();
  await fleet.startHive();
}

Deno.test({
  name:
    "herd: what one host detects and three agree on, another event alerts by, until it is pulled",
  ignore: !canLoadSensor() || Deno.uid() !== 0,
  fn: async () => {
    await using fleet = await TestFleet.start();
    await using _folder = await made(FOLDER);
    await using _quiet = await made(QUIET);
    await Deno.copyFile("/bin/bash", SHELL);
    const hosts = [
      await fleet.host("herd-1"),
      await fleet.host("herd-2"),
      await fleet.host("herd-3"),
    ];
    const [real, ...others] = hosts;
    assert(real !== undefined);
    const agents = lines<{ id: string; hostName: string }>(
      await verb(fleet, "agents", "list", "--json"),
    );
    const key = `${fleet.folder}/genesis.pem`;
    const ids = agents.map(({ id }) => id);
    await verb(fleet, "herd", "genesis", ...ids, "--key", key, "--number", "1", "--new-key");

    // One host has a real sensor, and sees a real shell; on the others the same is replayed.
    await using _agent = await real.startAgent();
    await shell(CONNECTS);
    const event = { Image: SHELL, CommandLine: `${SHELL} -c ${CONNECTS}` };
    const events = `${fleet.folder}/events.ndjson`;
    await Deno.writeTextFile(events, JSON.stringify(event));
    for (const host of others) {
      const { code, stderr } = await host.run(["replay", events, "--deliver"]);
      assertEquals(code, 0, stderr);
    }
    const { id: first } = await own(fleet, real.name);
    const proposed = await said(real, "propose", first, "--type", "path", "--value", SHELL);
    assertMatch(proposed, /^[0-9a-f]{32} is "proposed": 1 of 3 votes$/);
    const [antibody = ""] = proposed.split(" ");
    for (const host of others) {
      const { id } = await own(fleet, host.name);
      await said(host, "support", antibody, id);
    }
    const [listed] = lines<{ stage: string }>(await verb(fleet, "herd", "list", "--json"));
    assertEquals(listed?.stage, "canary");

    // What the real host does all day, without an alert, is held back and says so.
    const daily = `${QUIET}/daily`;
    await Deno.copyFile("/bin/true", daily);
    await using _day = doesAllDay(daily);
    await shell(`${CONNECTS} first`);
    await behind(fleet, " first");
    const { id: elsewhere } = await own(fleet, others[0]?.name ?? "");
    const rule = "title: A\nlogsource: { product: linux, category: process_creation }\n" +
      `detection:\n  s: { Image: ${daily} }\n  condition: s\n`;
    await verb(fleet, "herd", "add", elsewhere, "--type", "rule", "--value", rule);
    const held = await eventually(
      "an ordinary one is held back",
      async () =>
        lines<{ type: string; stage: string; why: string }>(
          await verb(fleet, "herd", "list", "--json"),
        ).find(({ type, stage }) => type === "rule" && stage === "pulled"),
    );
    assertMatch(held.why, /^ordinary: 1 of \d hosts have such events/);

    await seasoned(fleet);
    await found(
      fleet,
      /^antibody sets [0-9a-f]{64} and none active: 1 antibodies, as 1 indicators/,
    );
    const matches = async (): Promise<number> =>
      (await alerts(fleet)).filter(({ rule }) => rule.id === `herd-${antibody}`).length;
    await shell("true");
    await eventually("an alert by the antibody", async () => await matches() || undefined);

    await verb(fleet, "herd", "pull", antibody, "--why", "over");
    await found(fleet, /^antibody sets none and none active: 0 antibodies/);
    const before = await matches();
    await shell("true");
    await shell(`${CONNECTS} last`);
    await behind(fleet, " last");
    assertEquals(await matches(), before);

    const decided = lines<{ actor: { kind: string; id: string }; action: string }>(
      await verb(fleet, "audit", "list", "--action", "herd", "--json"),
    ).filter(({ actor }) => actor.kind === "agent");
    assertEquals(decided.map(({ action }) => action).toSorted(), [
      "herd.propose",
      "herd.support",
      "herd.support",
    ]);
    assertEquals(decided.map(({ actor }) => actor.id).toSorted(), ids.toSorted());
  },
});
