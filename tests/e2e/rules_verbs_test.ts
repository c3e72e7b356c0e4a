import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT, runImmune } from "../support/immune.ts";

const GOOD = `title: Netcat listens
id: 2e0f5a3e-51f7-4a64-9c4e-0d9f5b1f7a01
description: nc was told to listen
tags: [attack.execution, attack.t1562.001]
level: high
logsource: { category: process_creation, product: linux }
detection:
  program: { Image|endswith: /nc }
  option: { CommandLine|contains: [" -l", " --listen"] }
  pattern: { CommandLine|re: '(a+)+\\d' }
  condition: program and (option or pattern)
immune:
  must:
    - { Image: /bin/nc, CommandLine: nc -l 9 }
  must_not:
    - { Image: /bin/nc, CommandLine: nc host 9 }
`;
const WRONG = `${GOOD.replace("Netcat listens", "Wrong events").replace("7a01", "7a02")}` +
  "    - { Image: /bin/nc, CommandLine: nc -lk 9 }\n";
const TWICE = `title: Netcat listens twice
id: 2e0f5a3e-51f7-4a64-9c4e-0d9f5b1f7a04
correlation:
  type: event_count
  rules: [2e0f5a3e-51f7-4a64-9c4e-0d9f5b1f7a01]
  group-by: [User]
  timespan: 5s
  condition: { gte: 2 }
immune:
  must_sequences:
    - - { Image: /bin/nc, CommandLine: nc -l 9, User: a }
      - { Image: /bin/nc, CommandLine: nc -l 9, User: a }
    - - { Image: /bin/nc, CommandLine: nc -l 9, User: a }
      - { Image: /bin/nc, CommandLine: nc -l 9, User: b }
  must_not_sequences:
    - - { Image: /bin/nc, CommandLine: nc -l 9, User: a, "@timestamp": "2026-01-01T00:00:00Z" }
      - { Image: /bin/nc, CommandLine: nc -l 9, User: a, "@timestamp": "2026-01-01T00:00:09Z" }
`;
const BROKEN = `title: Broken
id: 2e0f5a3e-51f7-4a64-9c4e-0d9f5b1f7a03
logsource: { product: linux }
detection:
  s: { Image|nonsense: x }
  condition: s
`;

async function inFolder(
  files: Readonly<Record<string, string>>,
  work: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = `${folder}/${name}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(path, text);
    }
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function objects(stdout: string): Record<string, unknown>[] {
  return stdout.trim().split("\n").map((line) => JSON.parse(line));
}

Deno.test("rules check names place, reason, cost and unsafe patterns", () =>
  inFolder({ "a.yml": GOOD, "b.yml": BROKEN }, async (folder) => {
    const { code, stdout, stderr } = await runImmune(["rules", "check", folder]);
    assertEquals(code, 1);
    assertStringIncludes(stdout, "1 loaded, 1 not loaded");
    assertStringIncludes(stderr, `${folder}/b.yml:5:`);
    assertStringIncludes(stderr, 'CommandLine|re "(a+)+\\d" is DANGEROUS');
    const [good, broken] = objects((await runImmune(["rules", "check", folder, "--json"])).stdout);
    assertEquals(good?.["cost"], {
      tests: 4,
      candidates: 1,
      always: false,
      regexes: 1,
      unguided: 1,
    });
    assertEquals([good?.["loaded"], broken?.["loaded"]], [true, false]);
    assertEquals([broken?.["line"], broken?.["path"]], [5, `${folder}/b.yml`]);
  }));

Deno.test("rules test runs events, ends with 1 for one that does not do what it should", () =>
  inFolder({ "a.yml": GOOD }, async (folder) => {
    const passed = await runImmune(["rules", "test", folder]);
    assertEquals([passed.code, passed.stderr], [0, ""]);
    assertStringIncludes(passed.stdout, "1 rules: 1 events must fire, 1 must not; 0 failed");
    await Deno.writeTextFile(`${folder}/w.yml`, WRONG);
    const failed = await runImmune(["rules", "test", folder]);
    assertEquals(failed.code, 1);
    assertStringIncludes(failed.stdout, '"Wrong events" fired on number 2 of must_not');
    const [, wrong] = objects((await runImmune(["rules", "test", folder, "--json"])).stdout);
    assertEquals(wrong?.["passed"], false);
  }));

Deno.test("rules test runs the sequences of correlations, at the times that they say", () =>
  inFolder({ "a.yml": `${GOOD}---\n${TWICE}` }, async (folder) => {
    const { code, stdout } = await runImmune(["rules", "test", folder]);
    assertEquals(code, 1);
    assertStringIncludes(stdout, '"Netcat listens twice" did not fire on number 2 of must');
    assertStringIncludes(stdout, "2 rules: 3 events must fire, 2 must not; 1 failed");
  }));

Deno.test("rules test passes on the rules that come with the program", async () => {
  const { code, stdout } = await runImmune(["rules", "test"]);
  assertEquals(code, 0, stdout);
  assertStringIncludes(stdout, "; 0 failed");
  assert(!stdout.includes("without events"), stdout);
});

Deno.test("rules list filters by tag and level", () =>
  inFolder(
    { "a.yml": GOOD, "w.yml": WRONG.replace("level: high", "level: low") },
    async (folder) => {
      const titles = async (...args: string[]): Promise<unknown[]> => {
        const { stdout } = await runImmune(["rules", "list", folder, "--json", ...args]);
        return stdout === "" ? [] : objects(stdout).map(({ title }) => title);
      };
      assertEquals(await titles(), ["Netcat listens", "Wrong events"]);
      assertEquals(await titles("--level", "medium"), ["Netcat listens"]);
      assertEquals(await titles("--tag", "T1685"), ["Netcat listens", "Wrong events"]);
      assertEquals(await titles("--tag", "t1685", "--tag", "impact"), []);
      assertEquals((await runImmune(["rules", "list", "--level", "loud"])).code, 2);
    },
  ));

Deno.test("rules explain says which part holds, for files, ids and standard input", () =>
  inFolder({
    "a.yml": GOOD,
    "event.json": '{"Image": "/bin/nc", "CommandLine": "nc host 9"}',
    "fires.json": '{"process": {"executable": "/bin/nc", "command_line": "nc -l 9"}}',
  }, async (folder) => {
    const silent = await runImmune(["rules", "explain", `${folder}/a.yml`, `${folder}/event.json`]);
    assertEquals(silent.code, 0);
    for (
      const line of [
        "does not fire",
        "+ program",
        "- option",
        '+ Image "*/nc": it is "/bin/nc"',
        '- CommandLine "* -l*": it is "nc host 9"',
      ]
    ) assertStringIncludes(silent.stdout, line);
    const id = "2e0f5a3e-51f7-4a64-9c4e-0d9f5b1f7a01";
    const args = ["rules", "explain", id, `${folder}/fires.json`, "--rules", folder, "--json"];
    const [verdict] = objects((await runImmune(args)).stdout);
    assertEquals(verdict?.["fires"], true);
    const unknown = await runImmune(["rules", "explain", "nobody", `${folder}/fires.json`]);
    assertEquals(unknown.code, 1);
    assertStringIncludes(unknown.stderr, "[NOT_FOUND]");
  }));

Deno.test("rules import sums up reasons, copies only when told, and only what loads", () =>
  inFolder({ "sigma/rules/a.yml": GOOD, "sigma/rules/b.yml": BROKEN }, async (folder) => {
    const [from, into] = [`${folder}/sigma`, `${folder}/mine`];
    const looked = await runImmune(["rules", "import", from]);
    assertEquals(looked.code, 0);
    assertStringIncludes(looked.stdout, "1 rules and 0 correlations loaded");
    assertStringIncludes(looked.stdout, "1 skipped");
    const found = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assertEquals(found, ["sigma"]);
    const [summary] = objects(
      (await runImmune(["rules", "import", from, "--into", into, "--json"])).stdout,
    );
    assertEquals(summary?.["copied"], { added: 1, replaced: 0, unchanged: 0 });
    assertEquals(await Deno.readTextFile(`${into}/rules/a.yml`), GOOD);
    assertEquals([...Deno.readDirSync(`${into}/rules`)].map(({ name }) => name), ["a.yml"]);
    await Deno.writeTextFile(`${from}/rules/a.yml`, GOOD.replace("level: high", "level: low"));
    const again = await runImmune(["rules", "import", from, "--into", into]);
    assertStringIncludes(again.stdout, "0 added, 1 replaced, 0 unchanged");
  }));

Deno.test("rules coverage counts techniques and writes a layer", () =>
  inFolder({ "a.yml": GOOD }, async (folder) => {
    const layer = `${folder}/layer.json`;
    const { code, stdout } = await runImmune([
      "rules",
      "coverage",
      `${folder}/a.yml`,
      "--navigator",
      layer,
    ]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "T1685");
    assertStringIncludes(stdout, "1 rules cover 1 techniques of ATT&CK and 0 of ATLAS");
    const { techniques } = JSON.parse(await Deno.readTextFile(layer));
    assertEquals(techniques[0].techniqueID, "T1685");
    const shipped = await runImmune(["rules", "coverage", "--json", "--rules", `${ROOT}rules`]);
    assert(objects(shipped.stdout).length > 80, shipped.stdout);
  }));

for (const verb of ["check", "test", "list", "explain", "import", "coverage"]) {
  Deno.test(`rules ${verb} --help says what it takes and how it ends`, async () => {
    const { code, stdout } = await runImmune(["rules", verb, "--help"]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, `Usage: immune rules ${verb}`);
    assertStringIncludes(stdout, "--json");
  });
}
