import { assert, assertEquals } from "@std/assert";
import { ImageReader } from "./_image_test_support.ts";
import { describeRejection, type RuleRejection } from "./rejection.ts";
import { compileRules, type RuleSet } from "./rule_set.ts";

const HEAD = "title: T\nlogsource: { category: process_creation, product: linux }\n";

function load(detection: string, head = HEAD): RuleSet {
  return compileRules([{ path: "t.yml", text: `${head}detection:\n${detection}\n` }]);
}

function rejection(detection: string, head = HEAD): RuleRejection {
  const { rejected, rules } = load(detection, head);
  assertEquals(rules.length, 0);
  const [first] = rejected;
  assert(first !== undefined && rejected.length === 1);
  return first;
}

/** Does the one rule fire on an event of these fields? */
function fires(detection: string, event: Readonly<Record<string, string>>): boolean {
  const set = load(detection);
  assertEquals(set.rejected, []);
  return new ImageReader(set.image, set.fields).fire(new Map(Object.entries(event))).length === 1;
}

Deno.test("compileRules() joins lists by or, maps by and, lists of maps by or", () => {
  const map = "  s: { A: [x, y], B: z }\n  condition: s";
  assertEquals(fires(map, { A: "x", B: "z" }), true);
  assertEquals(fires(map, { A: "y", B: "z" }), true);
  assertEquals(fires(map, { A: "y" }), false);
  assertEquals(fires(map, { A: "w", B: "z" }), false);
  const list = "  s: [{ A: x, B: z }, { A: y }]\n  condition: s";
  assertEquals(fires(list, { A: "x" }), false);
  assertEquals(fires(list, { A: "x", B: "z" }), true);
  assertEquals(fires(list, { A: "y" }), true);
});

Deno.test("compileRules() joins a list of conditions by or", () => {
  const rule = "  a: { A: x }\n  b: { B: x }\n  condition: [a and b, not a]";
  assertEquals(fires(rule, { A: "x", B: "x" }), true);
  assertEquals(fires(rule, { A: "x" }), false);
  assertEquals(fires(rule, {}), true);
});

Deno.test("compileRules() has each modifier, with wildcards inside", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["A|contains: b?d", "aBCDe", true],
    ["A|contains: b?d", "abde", false],
    ["A|startswith: a*c", "abbcd", true],
    ["A|startswith: ab", "xab", false],
    ["A|endswith: '*'", "", true],
    ["A|endswith: cd", "ABCD", true],
    ["A|endswith: cd", "cde", false],
    ["A|contains|all: [a, b]", "xbxax", true],
    ["A|contains|all: [a, b]", "xax", false],
    ["A|contains|all: a", "xax", true],
    ["A|all: ['a*', '*b']", "aab", true],
    ["A: 'a\\*b'", "a*b", true],
    ["A: 'a\\*b'", "axb", false],
    ["A: C:\\x\\y", "c:\\X\\y", true],
  ];
  for (const [test, value, wanted] of cases) {
    assertEquals(fires(`  s:\n    ${test}\n  condition: s`, { A: value }), wanted, test + value);
  }
});

Deno.test("compileRules() has null, empty text, presence, numbers and truth values", () => {
  const cases: readonly (readonly [string, string | undefined, boolean])[] = [
    ["null", undefined, true],
    ["null", "", false],
    ["''", "", true],
    ["''", undefined, false],
    ["''", "x", false],
    ["'*'", "", true],
    ["'*'", undefined, false],
    ["'?'", "", false],
    ["4444", "4444", true],
    ["4444", "44440", false],
    ["0x10", "16", true],
    ["18446744073709551615", "18446744073709551615", true],
    ["18446744073709551615", "18446744073709551616", false],
    ["true", "True", true],
    ["[null, x]", undefined, true],
    ["[null, x]", "y", false],
  ];
  for (const [value, given, wanted] of cases) {
    const event: Record<string, string> = given === undefined ? {} : { A: given };
    assertEquals(
      fires(`  s:\n    A: ${value}\n  condition: s`, event),
      wanted,
      `${value} ${given}`,
    );
  }
});

Deno.test("compileRules() has 1 of, all of, them, and leaves _names out of them", () => {
  const three = "  a_1: { A: x }\n  a_2: { B: x }\n  _c: { C: x }\n";
  assertEquals(fires(`${three}  condition: 1 of them`, { C: "x" }), false);
  assertEquals(fires(`${three}  condition: all of them`, { A: "x", B: "x" }), true);
  assertEquals(fires(`${three}  condition: 1 of a_*`, { B: "x" }), true);
  assertEquals(fires(`${three}  condition: all of a_*`, { B: "x" }), false);
  assertEquals(fires(`${three}  condition: 1 of _*`, { C: "x" }), true);
  assertEquals(fires(`${three}  condition: 2 of a_* and not _c`, { A: "x", B: "x" }), true);
});

Deno.test("compileRules() folds ASCII case in values and keeps other bytes", () => {
  assertEquals(fires("  s: { A: ÄbC }\n  condition: s", { A: "ÄBc" }), true);
  assertEquals(fires("  s: { A: ÄbC }\n  condition: s", { A: "äbc" }), false);
  assertEquals(fires("  s: { A: x }\n  condition: s", { a: "x" }), false);
});

Deno.test("compileRules() names what it cannot do, with its place", () => {
  const cases: readonly (readonly [string, string, number, number])[] = [
    ["  s:\n    A|re: (a)\\1\n  condition: s", "back-reference", 5, 5],
    ["  s:\n    A|re: [x, a(?=b)]\n  condition: s", "lookaround", 5, 15],
    ["  s: { A|expand: '%x%' }\n  condition: s", "placeholder %x%", 4, 8],
    ["  s: { A: x }\n  timeframe: 5m\n  condition: s", "timeframe", 5, 3],
    ["  s: { A: x }\n  condition: s | count() > 5", "aggregation in a condition", 5, 3],
  ];
  for (const [detection, feature, line, column] of cases) {
    const found = rejection(detection);
    assertEquals([found.code, found.feature], ["RULE_UNSUPPORTED", feature], detection);
    assertEquals([found.line, found.column], [line, column], feature);
  }
  const { reason } = rejection("  s: { A: x }\n  condition: s | near t");
  assert(reason.includes("write a correlation rule"), reason);
});

Deno.test("compileRules() names what is wrong, with its place", () => {
  const cases: readonly (readonly [string, string, number])[] = [
    ["  s: { A|contain: x }\n  condition: s", `Field "A": Unknown modifier "contain"`, 4],
    ["  s: { A|re: '[a-' }\n  condition: s", `"[" without "]" (at character 4)`, 4],
    ["  s: { A|cidr: 10.0.0.1/8 }\n  condition: s", "bits set behind its prefix", 4],
    ["  s: { A|gt: x }\n  condition: s", `"x" is no number`, 4],
    ["  s: { '|startswith': x }\n  condition: s", "needs the name of a field", 4],
    ["  s: { A|exists: 1 }\n  condition: s", "true or false", 4],
    ["  s: [x, null]\n  condition: s", "no map, text or number", 4],
    ["  s: { A: x }\n  condition: s and t", `"t": there is no such selection`, 5],
    ["  s: { A: x }\n  condition: 1 of t*", `"t*": no selection is so`, 5],
    ["  s: { A: x }\n  condition: 2 of s", "2 of 1", 5],
    ["  s: { A: x }", `"condition" is missing`, 3],
    ["  s: { A: x }\n  condition: []", "empty list", 3],
    ["  s: { A: x }\n  condition: (s", `")"`, 5],
    ["  s: {}\n  condition: s", "empty", 4],
    ["  s:\n  condition: s", "empty", 4],
    ["  s: { A: { B: x } }\n  condition: s", "no text, number", 4],
    ["  s: { A|contains: null }\n  condition: s", "modifier on null", 4],
    [`  s: { A: "x\\0" }\n  condition: s`, "0x00", 4],
    [`  s: { A: ${"x".repeat(4097)} }\n  condition: s`, "4096 bytes", 4],
    ["  s: [[x]]\n  condition: s", "no map, text or number", 4],
  ];
  for (const [detection, reason, line] of cases) {
    const found = rejection(detection);
    assertEquals(found.code, "RULE_INVALID", detection);
    assert(found.reason.includes(reason), `${found.reason} | ${detection}`);
    assertEquals(found.line, line, detection);
  }
});

Deno.test("compileRules() names a head that does not hold", () => {
  const detection = "  s: { A: x }\n  condition: s";
  const cases: readonly (readonly [string, string])[] = [
    ["logsource: {}\n", `"title"`],
    ["title: T\n", `"logsource"`],
    ["title: T\nlogsource: {}\nlevel: extreme\n", `"level"`],
    ["title: T\nlogsource: []\n", `"logsource"`],
    [`title: ${"T".repeat(257)}\nlogsource: {}\n`, `"title"`],
    ["title: T\nlogsource: {}\nimmune: { must: [{ A: [x] }] }\n", `"immune.must.0.A"`],
  ];
  for (const [head, reason] of cases) {
    const found = rejection(detection, head);
    assertEquals(found.code, "RULE_INVALID", head);
    assert(found.reason.includes(reason), found.reason);
  }
});

Deno.test("compileRules() loads the rules beside a bad one and keeps the first of two ids", () => {
  const good = (id: string, path: string) => ({
    path,
    text: `id: ${id}\n${HEAD}detection: { s: { A: x }, condition: s }\n`,
  });
  const set = compileRules([
    good("one", "a.yml"),
    { path: "b.yml", text: "title: [" },
    { path: "c.yml", text: "", problem: "File is not UTF-8" },
    good("one", "d.yml"),
    good("two", "e.yml"),
  ]);
  assertEquals(set.rules.map(({ id, path }) => [id, path]), [["one", "a.yml"], ["two", "e.yml"]]);
  assertEquals(set.rejected.map(({ path }) => path), ["b.yml", "c.yml", "d.yml"]);
  assert(set.rejected[2]?.reason.includes("the rule at a.yml:1"));
  assertEquals(set.rejected[1]?.reason, "File is not UTF-8");
});

Deno.test("compileRules() gives a rule without an id the same UUID each time", () => {
  const [rule] = load("  s: { A: x }\n  condition: s").rules;
  const [again] = load("  s: { A: x }\n  condition: s").rules;
  const [other] = load("  s: { A: y }\n  condition: s").rules;
  assert(rule !== undefined && again !== undefined && other !== undefined);
  assertEquals(rule.idDerived, true);
  assert(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(rule.id));
  assertEquals(rule.id, again.id);
  assert(rule.id !== other.id);
});

Deno.test("compileRules() keeps what a rule says of itself, one value or a list", () => {
  const head =
    `---\n---\n${HEAD}id: i\nlevel: high\ntags: [attack.t1059]\nreferences: https://a\n` +
    "falsepositives: None\nstatus: test\ndescription: |\n  Text.\n";
  const [rule] = load("  s: { Image: x, Odd: y }\n  condition: s", head).rules;
  assert(rule !== undefined);
  const { line, level, severity, tags, references, falsepositives, status } = rule;
  assertEquals({ line, level, severity, tags, references, falsepositives, status }, {
    line: 3,
    level: "high",
    severity: 4,
    tags: ["attack.t1059"],
    references: ["https://a"],
    falsepositives: ["None"],
    status: "test",
  });
  assertEquals([rule.description, rule.unfed], ["Text.", ["Odd"]]);
  assertEquals(rule.logSource, { category: "process_creation", product: "linux" });
});

Deno.test("compileRules() without rules gives an image that fires nothing", () => {
  const set = compileRules([]);
  assertEquals(new ImageReader(set.image, []).fire(new Map([["A", "x"]])), []);
  assertEquals(set.interest.kinds, ["exec", "fork", "exit"]);
});

Deno.test("logSourceBits() marks the log sources that apply, any case", () => {
  const head = (source: string) => `title: T\nlogsource: ${source}\n`;
  const sources = [
    "{ category: process_creation, product: linux }",
    "{ category: process_creation, product: windows }",
    "{ product: linux, service: auditd }",
    "{ category: process_creation, product: linux }",
  ];
  const set = compileRules(sources.map((source, i) => ({
    path: `${i}.yml`,
    text: `${head(source)}detection: { s: { A: ${i} }, condition: s }`,
  })));
  assertEquals(set.logSources.length, 3);
  const bits = (source: Parameters<RuleSet["logSourceBits"]>[0]) => set.logSourceBits(source)[0];
  assertEquals(bits({ category: "Process_Creation", product: "Linux" }), 0b001);
  assertEquals(bits({ product: "linux", service: "auditd" }), 0b100);
  assertEquals(bits({ product: "linux" }), 0b101);
  assertEquals(bits({}), 0b111);
});

Deno.test("describeRejection() says place, rule, id and reason in one line", () => {
  const found = rejection("  s:\n    A|re: (?=x)\n  condition: s", `id: i-1\n${HEAD}`);
  assertEquals(
    describeRejection(found),
    `t.yml:6:5: Cannot load rule "T" (i-1): Field "A": regular expression: ` +
      `${found.reason.split(": ").at(-1)} [RULE_UNSUPPORTED]`,
  );
});
