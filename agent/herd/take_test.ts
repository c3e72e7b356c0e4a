import { assertEquals, assertThrows } from "@std/assert";
import { ImmuneError } from "../../common/config/errors.ts";
import { antibodyRuleId } from "../../common/herd/antibody.ts";
import { NO_OWN_THINGS } from "../../common/herd/protected.ts";
import { IndicatorStore, makeIndicator } from "../../common/indicators/mod.ts";
import { compileRules, readRuleSources } from "../../common/sigma/mod.ts";
import { antibody, LIFE_MS, NOW_MS, RULE, setOf, TestHost } from "./_herd_test_support.ts";
import { takeAntibodies } from "./take.ts";

const PATH = antibody("path", "/var/tmp/x");
const ADDRESS = antibody("address", "203.0.113.7");
const SIGMA = antibody("rule", RULE);
const PORT = antibody("port", "4445");

/** Values of the herd that the store has. */
function listed(host: TestHost): readonly string[] {
  using store = IndicatorStore.open(host.indicators);
  return store.set.sorted().filter(({ source }) => source === "herd").map(({ value }) => value);
}

Deno.test("takeAntibodies() makes indicators and rules of both sets, each once", async () => {
  await using host = await TestHost.open();
  const fleet = setOf([PATH, SIGMA]);
  const own = setOf([{ ...PATH, expiresMs: NOW_MS + 1000 }, ADDRESS, PORT], 2);
  const taken = takeAntibodies(host.request({ fleet, host: own }));
  const ruleIds = [SIGMA, PORT].map(({ id }) => antibodyRuleId(id)).toSorted();
  assertEquals([taken.ids.length, taken.indicators, taken.refused], [4, 2, []]);
  assertEquals([taken.ruleIds.toSorted(), taken.nextExpiryMs], [ruleIds, NOW_MS + LIFE_MS]);
  assertEquals(listed(host).toSorted(), ["/var/tmp/x", "203.0.113.7"]);
  const { rules, rejected } = compileRules(await readRuleSources(host.sets.rules));
  assertEquals([rules.map(({ id }) => id ?? "").toSorted(), rejected], [ruleIds, []]);
});

Deno.test("takeAntibodies() takes back what is no longer wanted, and leaves others' indicators", async () => {
  await using host = await TestHost.open();
  takeAntibodies(host.request({ fleet: setOf([PATH, SIGMA]), host: setOf([ADDRESS], 2) }));
  {
    using store = IndicatorStore.open(host.indicators);
    const own = makeIndicator({ type: "path", value: "/opt/own", source: "feed" }, NOW_MS);
    if (typeof own !== "string") store.set.add([own], NOW_MS);
    store.save();
  }
  takeAntibodies(host.request({ host: setOf([ADDRESS], 2) }));
  assertEquals([listed(host), host.ruleFiles()], [["203.0.113.7"], []]);
  const taken = takeAntibodies(host.request({}));
  assertEquals([taken.ids, taken.indicators, taken.nextExpiryMs], [[], 0, null]);
  using store = IndicatorStore.open(host.indicators);
  assertEquals([...store.set.all()].map(({ value }) => value), ["/opt/own"]);
});

Deno.test("takeAntibodies() lets go of what has run out, by this host's clock alone", async () => {
  await using host = await TestHost.open();
  const long = { ...SIGMA, expiresMs: NOW_MS + 2 * LIFE_MS };
  const wanted = { fleet: setOf([PATH, long]) };
  takeAntibodies(host.request(wanted));
  const later = takeAntibodies(host.request(wanted, { nowMs: NOW_MS + LIFE_MS }));
  assertEquals([later.ids, later.refused], [[long.id], []]);
  assertEquals([listed(host), later.nextExpiryMs], [[], NOW_MS + 2 * LIFE_MS]);
  const last = takeAntibodies(host.request(wanted, { nowMs: NOW_MS + 2 * LIFE_MS }));
  assertEquals([last.ids, host.ruleFiles()], [[], []]);
});

Deno.test("takeAntibodies() has this host's lint as the last word, and goes on with the rest", async () => {
  await using host = await TestHost.open();
  const own = { ...NO_OWN_THINGS, addresses: [ADDRESS.value], folders: ["/srv/immune"] };
  const bad = [
    ADDRESS,
    antibody("path", "/srv/immune/agent/agent.key"),
    antibody("path", "/usr/bin/bash", { action: "block" }),
    antibody("path", `/var/tmp/AKIA${"ABCDEFGHIJKLMNOP"}`),
    antibody("rule", "#!/bin/sh\nrm -rf /"),
    antibody("rule", RULE.replace("xmrig --donate", "sh")),
    { ...PATH, id: "1".repeat(32) },
    { ...PORT, code: "rm -rf /" },
  ];
  const taken = takeAntibodies(host.request({ fleet: setOf([...bad, PATH]) }, { own }));
  const kinds = taken.refused.map(({ kind }) => kind).toSorted();
  assertEquals(kinds, [
    "credential",
    "protected",
    "protected",
    "protected",
    "rule",
    "rule",
    "shape",
    "shape",
  ]);
  assertEquals([taken.ids, listed(host)], [[PATH.id], ["/var/tmp/x"]]);
});

Deno.test("takeAntibodies() changes nothing for a set that is not there, damaged or none", async () => {
  await using host = await TestHost.open();
  const before = setOf([PATH]);
  takeAntibodies(host.request({ fleet: before }));
  const missing = { fleet: "1".repeat(64), host: null };
  const codeOf = (request: Parameters<typeof takeAntibodies>[0]): string =>
    assertThrows(() => takeAntibodies(request), ImmuneError).code;
  assertEquals(codeOf(host.request({}, { wanted: missing })), "NOT_FOUND");
  host.sets.add(before.hash, new Uint8Array([1]));
  assertEquals(
    codeOf(host.request({}, { wanted: { fleet: before.hash, host: null } })),
    "NOT_FOUND",
  );
  assertEquals(listed(host), ["/var/tmp/x"]);
});

Deno.test("takeAntibodies() does not wait for who changes the indicators", async () => {
  await using host = await TestHost.open();
  using _busy = IndicatorStore.open(host.indicators);
  const request = host.request({ fleet: setOf([PATH]) });
  assertEquals(assertThrows(() => takeAntibodies(request), ImmuneError).code, "STATE_LOCKED");
});

Deno.test("takeAntibodies() makes good what a kill left between rules and indicators", async () => {
  await using host = await TestHost.open();
  const wanted = { fleet: setOf([PATH, SIGMA]) };
  takeAntibodies(host.request(wanted));
  const [rule = ""] = host.ruleFiles();
  // As far as a kill can come: a rule half written, another one that nobody wants any more.
  Deno.renameSync(`${host.sets.rules}/${rule}`, `${host.sets.rules}/${rule}.new`);
  Deno.writeTextFileSync(`${host.sets.rules}/old.yml`, RULE);
  const taken = takeAntibodies(host.request(wanted));
  assertEquals([taken.ids.length, host.ruleFiles()], [2, [rule]]);
});

Deno.test("takeAntibodies() leaves a rule that stays where it is", async () => {
  await using host = await TestHost.open();
  takeAntibodies(host.request({ fleet: setOf([SIGMA]) }));
  const [rule = ""] = host.ruleFiles();
  const inode = (): number | null => Deno.statSync(`${host.sets.rules}/${rule}`).ino;
  // Whoever reads the folder at any moment finds it: its file is never another one.
  const before = inode();
  takeAntibodies(host.request({ fleet: setOf([SIGMA, PORT]) }));
  assertEquals([inode(), host.ruleFiles().length], [before, 2]);
  takeAntibodies(host.request({ fleet: setOf([SIGMA]) }));
  assertEquals([inode(), host.ruleFiles()], [before, [rule]]);
});
