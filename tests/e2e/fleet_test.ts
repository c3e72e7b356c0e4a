import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Alert } from "../../common/wire/mod.ts";
import { within } from "../support/eventually.ts";
import { type FleetHost, TestFleet } from "../support/fleet.ts";

/** Title of the correlation of rules/correlations/hosts_same_installation.yml. */
const SAME_INSTALLATION = "The same alert of an installation on three hosts within an hour";
const SAME_DESTINATION = "Three hosts raised alerts about connections to one address within a day";
const WORM = {
  Image: "/home/ann/.bun/bin/bun",
  CommandLine: "bun run bun_environment.js",
  ParentCommandLine: "node setup_bun.js",
};
const BEACON = {
  Image: "/usr/bin/bash",
  CommandLine: "bash -i",
  DestinationIp: "203.0.113.7",
  DestinationPort: "443",
  Protocol: "tcp",
};

const ignore = Deno.uid() !== 0;
const eventually = within(120_000);

/** Has a host's agent judge events, and deliver what comes of them. */
async function happens(
  fleet: TestFleet,
  host: FleetHost,
  ...events: readonly Readonly<Record<string, string>>[]
): Promise<void> {
  const path = `${fleet.folder}/${host.name}.ndjson`;
  await Deno.writeTextFile(path, events.map((event) => JSON.stringify(event)).join("\n"));
  const { code, stderr } = await host.run(["replay", path, "--deliver"]);
  assertEquals(code, 0, stderr);
}

async function alerts(fleet: TestFleet): Promise<readonly Alert[]> {
  return (await (await fleet.api("/api/v1/alerts?last=1d&limit=1000")).json()).alerts;
}

/** Waits until a counter of detection is at least so high. */
async function counted(
  fleet: TestFleet,
  name: "alerts" | "correlations",
  count: number,
): Promise<void> {
  await eventually(`${count} ${name}`, async () => {
    const { detection } = await (await fleet.api("/api/v1/stats")).json();
    return detection[name] >= count || undefined;
  });
}

/** Waits until detection has looked at so many alerts of agents, whatever it made of them. */
function lookedAt(fleet: TestFleet, count: number): Promise<void> {
  return counted(fleet, "alerts", count);
}

/** Waits for an alert of a correlation over hosts. */
async function raised(fleet: TestFleet, title: string): Promise<Alert> {
  return await eventually(
    title,
    async () => (await alerts(fleet)).find(({ rule }) => rule.title === title),
  );
}

Deno.test({
  name: "fleet: alerts of three agents become one of the hive's, with their ids and hosts",
  ignore,
  fn: async () => {
    await using fleet = await TestFleet.start();
    const hosts = [await fleet.host("gpu-1"), await fleet.host("gpu-2"), await fleet.host("gpu-3")];
    const [one, two, three] = hosts;
    assert(one !== undefined && two !== undefined && three !== undefined);
    await happens(fleet, one, WORM, WORM, BEACON);
    await happens(fleet, two, WORM, BEACON);
    await lookedAt(fleet, 5);
    const before = await alerts(fleet);
    assertEquals(before.filter(({ correlation }) => correlation !== undefined), []);
    await happens(fleet, three, WORM, BEACON);
    const found = await raised(fleet, SAME_INSTALLATION);
    assertEquals([found.severity, found.host.name], ["critical", "gpu-3"]);
    assertEquals(found.correlation?.group["CommandLine"], WORM.CommandLine);
    assertEquals(found.correlation?.value, 3);
    const members = found.correlation?.members ?? [];
    const parts = (await alerts(fleet))
      .filter(({ process, correlation }) =>
        correlation === undefined && process?.command_line === WORM.CommandLine
      );
    assertEquals(
      members.map(({ event }) => event).toSorted(),
      parts.map(({ id }) => id).toSorted(),
    );
    assertEquals(new Set(members.map(({ host }) => host?.name)), new Set(hosts.map((h) => h.name)));
    assertEquals((await raised(fleet, SAME_DESTINATION)).correlation?.group, {
      DestinationIp: BEACON.DestinationIp,
    });
    const { stdout } = await fleet.verb("alerts");
    assertStringIncludes(stdout, SAME_INSTALLATION);
    assertStringIncludes(stdout, "hosts    gpu-1, gpu-2, gpu-3");
    for (const { id } of parts) assertStringIncludes(stdout, id);
    const answer = await fleet.api(`/api/v1/alerts/${found.id}`);
    assertEquals((await answer.json()).correlation, found.correlation);
  },
});

Deno.test({
  name: "fleet: what two agents told before the hive was killed counts with the third after it",
  ignore,
  fn: async () => {
    await using fleet = await TestFleet.start();
    for (const name of ["gpu-1", "gpu-2"]) await happens(fleet, await fleet.host(name), WORM);
    await lookedAt(fleet, 2);
    await fleet.stopHive("SIGKILL");
    await fleet.startHive();
    const last = await fleet.host("gpu-3");
    await happens(fleet, last, WORM);
    const found = await raised(fleet, SAME_INSTALLATION);
    assertEquals(found.correlation?.members.map(({ host }) => host?.name), [
      "gpu-1",
      "gpu-2",
      "gpu-3",
    ]);
    await fleet.stopHive();
    await fleet.startHive();
    await happens(fleet, last, BEACON);
    await lookedAt(fleet, 1);
    const again = (await alerts(fleet)).filter(({ rule }) => rule.title === SAME_INSTALLATION);
    assertEquals(again.map(({ id }) => id), [found.id]);
  },
});

Deno.test({
  name: "fleet: a hive reads its rules again on SIGHUP, and goes on when they are gone",
  ignore,
  fn: async () => {
    const rules = await Deno.makeTempDir();
    await using fleet = await TestFleet.start("--rules", rules);
    assertEquals((await (await fleet.api("/api/v1/stats")).json()).detection.correlations, 0);
    const part = "title: A\nname: a\nlogsource: { product: immune, service: alert }\n" +
      "detection: { s: { RuleLevel: high }, condition: s }\n";
    const whole = "title: C\ncorrelation: { type: event_count, rules: [a], timespan: 1m, " +
      "condition: { gte: 9 } }\nimmune: { scope: fleet }\n";
    await Deno.writeTextFile(`${rules}/a.yml`, `${part}---\n${whole}`);
    fleet.reload();
    await counted(fleet, "correlations", 1);
    await Deno.remove(rules, { recursive: true });
    fleet.reload();
    await happens(fleet, await fleet.host("gpu-1"), WORM);
    await lookedAt(fleet, 1);
    await counted(fleet, "correlations", 1);
  },
});
