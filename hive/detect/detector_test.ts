import { assert, assertEquals } from "@std/assert";
import { FakeClock } from "../../common/config/mod.ts";
import { type Alert, alertSchema } from "../../common/wire/alert.ts";
import {
  rulesWith,
  sample,
  type SampleAlert,
  START_MS,
  THREE_HOSTS,
} from "./_alerts_test_support.ts";
import { AlertMatcher } from "./alert_matcher.ts";
import { AHEAD_MS_MAX, Detector, FLEET_LATENESS_MS } from "./detector.ts";
import { fleetRules } from "./rules.ts";

const MINUTE_MS = 60_000;

interface Scene {
  readonly detector: Detector;
  readonly lines: string[];
  /** Feeds alerts; gives what the detector raises. */
  readonly feed: (...alerts: readonly SampleAlert[]) => readonly Alert[];
}

async function scene(...correlations: readonly string[]): Promise<Scene> {
  const lines: string[] = [];
  const clock = new FakeClock(START_MS + 10 * MINUTE_MS);
  const detector = new Detector({
    matcher: await AlertMatcher.create(),
    clock,
    onLine: (line) => lines.push(line),
  });
  const rules = fleetRules([{ path: "t.yml", text: rulesWith(...correlations) }]);
  assertEquals(rules.problems, []);
  detector.use(rules);
  let number = 0;
  return {
    detector,
    lines,
    feed: (...alerts) =>
      detector.take(alerts.map((alert) => ({ number: ++number, alert: sample(alert) }))),
  };
}

const on = (host: string, atMs = 0, command = "npm i evil"): SampleAlert => ({
  host,
  rule: "a",
  atMs,
  command,
});

Deno.test("Detector raises an alert with the exact alerts that led to it", async () => {
  const { detector, feed } = await scene(THREE_HOSTS);
  assertEquals(feed(on("1"), on("2", 1000)), []);
  const [alert, ...others] = feed(on("3", 2000));
  assert(alert !== undefined && others.length === 0);
  assert(alertSchema.safeParse(alert).success);
  assertEquals([alert.rule.id, alert.severity, alert.host.name], ["three", "critical", "gpu-3"]);
  assertEquals(alert.correlation?.value, 3);
  assertEquals(alert.correlation?.group, { RuleId: "a", CommandLine: "npm i evil" });
  assertEquals(
    alert.correlation?.members.map(({ event, rule }) => [event, rule]),
    [on("1"), on("2", 1000), on("3", 2000)].map((each) => [sample(each).id, "a"]),
  );
  const { alerts, raised, correlations } = detector.counters;
  assertEquals([alerts, raised, correlations], [3, 1, 1]);
});

Deno.test("Detector counts hosts, not alerts, and keeps groups apart", async () => {
  const { feed } = await scene(THREE_HOSTS);
  assertEquals(feed(on("1"), on("1", 1), on("2", 2), on("2", 3)), []);
  assertEquals(feed(on("3", 4, "npm i other")), []);
  assertEquals(feed({ ...on("3", 5), rule: "b" }), []);
  assertEquals(feed({ ...on("3", 6), rule: "unknown" }), []);
  assertEquals(feed(on("3", 7)).length, 1);
});

Deno.test("Detector raises one alert a group and time span", async () => {
  const { detector, feed } = await scene(THREE_HOSTS);
  feed(on("1"), on("2", 1));
  assertEquals(feed(on("3", 2), on("4", 3), on("5", MINUTE_MS)).length, 1);
  const again = [on("1", 61 * MINUTE_MS), on("2", 62 * MINUTE_MS), on("3", 63 * MINUTE_MS)];
  assertEquals(detector.counters.state.rules.get("three")?.repeated, 2);
  // Its clock stands: what lies ahead of it is taken at its time, within the span of the first.
  assertEquals(feed(...again).length, 0);
  assertEquals(detector.counters.ahead, 3);
});

Deno.test("Detector takes alerts that come up to five minutes late, and counts later ones", async () => {
  const { detector, feed } = await scene(THREE_HOSTS);
  feed(on("1", FLEET_LATENESS_MS), on("2", FLEET_LATENESS_MS));
  assertEquals(feed(on("3", 0)).length, 1);
  const { detector: second, feed: feedSecond } = await scene(THREE_HOSTS);
  feedSecond(on("1", FLEET_LATENESS_MS + 1), on("2", FLEET_LATENESS_MS + 1));
  assertEquals(feedSecond(on("3", 0)), []);
  assertEquals(second.counters.state.rules.get("three")?.late, 1);
  assertEquals(detector.counters.state.rules.get("three")?.late, 0);
});

Deno.test("Detector lets no host whose clock is ahead make the others late", async () => {
  const { detector, feed } = await scene(THREE_HOSTS);
  feed(on("1", 10 * MINUTE_MS + AHEAD_MS_MAX + 7 * 86_400_000));
  assertEquals(feed(on("2", 9 * MINUTE_MS), on("3", 8 * MINUTE_MS)).length, 1);
  assertEquals(detector.counters.ahead, 1);
});

const SERIOUS = `
title: Serious
name: serious
id: serious
level: informational
logsource: { product: immune, service: alert }
detection: { s: { RuleLevel: [high, critical], RuleTags|contains: attack.impact }, condition: s }
---
title: Two serious alerts of one account
id: account
correlation:
  type: value_count
  rules: [serious]
  group-by: [User]
  timespan: 1h
  condition: { field: RuleId, gte: 2 }
immune: { scope: fleet }
`;

Deno.test("Detector runs rules over alerts, whatever rule those are of", async () => {
  const { feed } = await scene(SERIOUS);
  const impact = { tags: ["attack.impact", "attack.t1486"] };
  assertEquals(feed({ host: "1", rule: "p", ...impact }, { host: "1", rule: "q" }), []);
  assertEquals(feed({ host: "1", rule: "r", ...impact, level: "low" }), []);
  assertEquals(feed({ host: "2", rule: "s", ...impact, user: "bob" }), []);
  const [alert] = feed({ host: "2", rule: "t", ...impact });
  assertEquals(alert?.correlation?.members.map(({ rule }) => rule), ["serious", "serious"]);
  assertEquals(alert?.correlation?.group, { User: "ann" });
});

Deno.test("Detector takes alerts of correlations on the hosts as hits, and parts raise nothing", async () => {
  const { feed } = await scene(`
title: On a host
id: burst
name: burst
correlation: { type: event_count, rules: [rule_b], timespan: 1m, condition: { gte: 9 } }
---
title: Part
id: part
name: part
correlation:
  { type: value_count, rules: [burst], timespan: 1h, condition: { field: HostId, gte: 2 } }
immune: { scope: fleet }
---
title: Whole
id: whole
correlation: { type: temporal, rules: [part, rule_a], timespan: 1h }
immune: { scope: fleet }
`);
  assertEquals(feed({ host: "1", rule: "burst" }, { host: "2", rule: "burst" }), []);
  assertEquals(feed({ host: "7", rule: "a" }).map(({ rule }) => rule.id), ["whole"]);
});

Deno.test("Detector goes on after a restart, and finds the same under the same id", async () => {
  const first = await scene(THREE_HOSTS);
  first.feed(on("1"), on("2", 1000));
  const state = first.detector.save();
  const [found] = first.feed(on("3", 2000));
  const second = await scene(THREE_HOSTS);
  second.detector.resume(2, state);
  assertEquals(second.detector.position, 2);
  const [again] = second.feed(on("3", 2000));
  assertEquals(again?.id, found?.id);
  assertEquals(again?.correlation, found?.correlation);
});

Deno.test("Detector remembers first sightings over a restart", async () => {
  const NEW = `
title: New
id: new
correlation: { type: first_seen, rules: [rule_a], group-by: [CommandLine], timespan: 7d }
immune: { scope: fleet }
`;
  const first = await scene(NEW);
  assertEquals(first.feed(on("1")).length, 1);
  const second = await scene(NEW);
  second.detector.resume(1, first.detector.save());
  assertEquals(second.feed(on("2", 9)).length, 0);
  assertEquals(second.feed(on("2", 9, "other")).length, 1);
});

Deno.test("Detector starts empty, and says so, when its state cannot be read", async () => {
  const { detector, lines, feed } = await scene(THREE_HOSTS);
  detector.resume(5, new Uint8Array([200, 0, 0, 0, 1, 2, 3]));
  assertEquals([detector.position, lines.length], [5, 1]);
  assertEquals(feed(on("1"), on("2"), on("3")).length, 1);
});

Deno.test("Detector keeps windows through a reload of rules", async () => {
  const { detector, feed } = await scene(THREE_HOSTS);
  feed(on("1"), on("2", 1));
  detector.use(fleetRules([{ path: "u.yml", text: rulesWith(SERIOUS, THREE_HOSTS) }]));
  assertEquals(feed(on("3", 2)).length, 1);
});

Deno.test("Detector bounds its groups, and says what it let go", async () => {
  const { detector, feed } = await scene(THREE_HOSTS);
  const flood = Array.from({ length: 5000 }, (_, i) => on("1", i, `npm i ${i}`));
  assertEquals(feed(...flood), []);
  const { state } = detector.counters;
  assertEquals(state.groups, 4096);
  assertEquals(state.rules.get("three")?.evictedGroups, 5000 - 4096);
});

Deno.test("fleetRules() names correlations that wait for what raises no alerts", () => {
  const { problems } = fleetRules([{
    path: "t.yml",
    text: rulesWith(
      "title: H\nid: h\ncorrelation: { type: temporal, rules: [rule_a, rule_b], timespan: 1m }\n",
      THREE_HOSTS,
      "title: broken\nid: broken\nlogsource: {}\n",
    ),
  }]);
  assertEquals(problems.length, 2);
  assert(/1 rules did not load/.test(problems[0] ?? ""), problems[0]);
  assert(/"three" waits for "rule_a" in vain/.test(problems[1] ?? ""), problems[1]);
});
