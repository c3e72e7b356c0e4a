import { assert, assertEquals, assertRejects } from "@std/assert";
import { ImmuneError } from "../../common/config/errors.ts";
import { compileRules, type RuleSource } from "../../common/sigma/mod.ts";
import { copyLoaded, skipReasons } from "./imported.ts";

const HEAD = "logsource: { product: linux }\n";

function source(name: string, detection: string): RuleSource {
  const text = `title: ${name}\nid: ${name}\n${HEAD}detection: ${detection}\n`;
  return { path: `/from/rules/${name}.yml`, text };
}

const GOOD = source("good", "{ s: { Image: /bin/nc }, condition: s }");
const SOURCES = [
  GOOD,
  source("one", "{ s: { Image|nonsense: x }, condition: s }"),
  source("two", "{ s: { CommandLine|rubbish: x }, condition: s }"),
  source("three", "{ s: { Image: x }, condition: s and t }"),
];

Deno.test("skipReasons() counts reasons that differ in names alone as one, most frequent first", () => {
  const reasons = skipReasons(compileRules(SOURCES));
  assertEquals(reasons.map(({ count }) => count), [2, 1]);
  assert(reasons[0]?.reason.includes('Unknown modifier "..."'), reasons[0]?.reason);
  assertEquals(reasons[0]?.example, "/from/rules/one.yml:4");
});

Deno.test("copyLoaded() copies what loads, keeps subfolders, replaces what changed", async () => {
  const into = await Deno.makeTempDir();
  try {
    const copy = (sources: readonly RuleSource[]) =>
      copyLoaded(sources, { from: "/from", into, ruleSet: compileRules(sources) });
    assertEquals(await copy(SOURCES), { added: 1, replaced: 0, unchanged: 0 });
    assertEquals(await Deno.readTextFile(`${into}/rules/good.yml`), GOOD.text);
    assertEquals(await copy(SOURCES), { added: 0, replaced: 0, unchanged: 1 });
    const changed = { ...GOOD, text: `${GOOD.text}level: low\n` };
    assertEquals(await copy([changed]), { added: 0, replaced: 1, unchanged: 0 });
    const found = await Array.fromAsync(Deno.readDir(`${into}/rules`));
    assertEquals(found.map(({ name }) => name), ["good.yml"]);
  } finally {
    await Deno.remove(into, { recursive: true });
  }
});

Deno.test("copyLoaded() refuses a folder in the one it reads, and the other way round", async () => {
  const ruleSet = compileRules(SOURCES);
  for (const into of ["/from", "/from/mine", "/"]) {
    const error = await assertRejects(
      () => copyLoaded(SOURCES, { from: "/from", into, ruleSet }),
      ImmuneError,
    );
    assertEquals(error.code, "USAGE", into);
  }
});
