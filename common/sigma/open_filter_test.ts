import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { evaluate } from "./_evaluate_test_support.ts";
import { and, type Expression, type FieldTest, or } from "./expression.ts";
import { OPEN_BITS, OPEN_MARKS_MAX, type OpenFilter, openFilterOf } from "./open_filter.ts";
import type { RuleLogic } from "./rule.ts";
import { ANY, foldCase, ONE, pattern, type PatternPart } from "./value.ts";

function test(field: string, ...parts: readonly PatternPart[]): FieldTest {
  const criterion = { type: "pattern", pattern: pattern(parts), cased: false } as const;
  return { kind: "test", field, criterion };
}

function rule(expression: Expression, category = "file_access"): RuleLogic {
  return {
    logSource: { category, product: "linux" },
    expression,
    position: { line: 1, column: 1 },
  } as unknown as RuleLogic;
}

/** Whether a kernel sends an open: by hand what bpf/events/open.bpf.c does by hashes. */
function sends({ marks, every, deep }: OpenFilter, path: string, writes: boolean): boolean {
  const wanted = writes ? OPEN_BITS.any | OPEN_BITS.write : OPEN_BITS.any;
  if ((every & wanted) !== 0) return true;
  const names = path.slice(1).split("/").map(foldCase);
  const name = names.at(-1) ?? "";
  const isLast = (components: readonly string[]): boolean =>
    components.length === 1 && components[0] === name;
  const bitsOf = (has: (mark: OpenFilter["marks"][number]) => boolean): number =>
    marks.filter(has).reduce((sum, { bits }) => sum | bits, 0);
  const extension = bitsOf(({ type, components }) =>
    type === "extension" && name.includes(".") &&
    components[0] === name.slice(name.lastIndexOf("."))
  );
  const last = bitsOf(({ type, components }) => type === "last" && isLast(components));
  if (((extension | last | deep) & wanted) === 0) return false;
  if ((extension & wanted) !== 0) return true;
  const whole = bitsOf(({ type, components, slashAfter }) =>
    names.some((_, from) => {
      const end = from + components.length;
      if (components.some((component, i) => names[from + i] !== component)) return false;
      if (slashAfter && end === names.length) return false;
      switch (type) {
        case "path":
          return from === 0 && end === names.length;
        case "directory":
          return from === 0 && end < names.length;
        case "tail":
          return end === names.length;
        case "part":
          return true;
        default:
          return false;
      }
    })
  );
  return (whole & wanted) !== 0;
}

Deno.test("openFilterOf() takes paths, directories, names, components and extensions", () => {
  const cases: readonly (readonly [FieldTest, string, string])[] = [
    [test("TargetFilename", "/etc/shadow"), "/etc/shadow", "/etc/shadow2"],
    [test("TargetFilename", "/etc/cron.d/", ANY), "/etc/cron.d/a", "/etc/cron.e/a"],
    [test("TargetFilename", "/etc/su", ANY), "/etc/sudoers", "/usr/sudoers"],
    [test("TargetFilename", ANY, "/.ssh/id_rsa"), "/home/x/.SSH/id_rsa", "/home/x/ssh/id_rsa"],
    [test("TargetFilename", ANY, "a/id_rsa"), "/x/xa/id_rsa", "/x/id_ecdsa"],
    [test("TargetFilename", ANY, ".tar.gz"), "/x/a.gz", "/x/a.gzip"],
    [test("TargetFilename", ANY, "/site-packages/", ANY), "/a/site-packages/b", "/a/site-packages"],
    [test("TargetFilename", "/home/", ANY, "/.ssh/", ANY), "/home/a/.ssh/b", "/home/a/ssh/b"],
  ];
  for (const [expression, yes, no] of cases) {
    const filter = openFilterOf([rule(expression)]);
    assertEquals(filter.every, 0, yes);
    assertEquals([sends(filter, yes, false), sends(filter, no, false)], [true, false], yes);
  }
});

Deno.test("openFilterOf() sends all where a rule asks for no path that a kernel can tell", () => {
  const untold: readonly Expression[] = [
    test("Image", ANY, "/sh"),
    test("TargetFilename", ANY, "secret", ANY),
    test("TargetFilename", ANY, "Login Data"),
    test("TargetFilename", "/r", ANY),
    { kind: "not", of: test("TargetFilename", "/etc/shadow") },
    or([test("TargetFilename", "/etc/shadow"), test("Image", "/bin/sh")]),
  ];
  for (const expression of untold) {
    assertEquals(openFilterOf([rule(expression)]).every, OPEN_BITS.any);
    assertEquals(openFilterOf([rule(expression, "file_event")]).every, OPEN_BITS.write);
  }
  assertEquals(openFilterOf([rule(untold[0] ?? test("Image"), "process_creation")]).every, 0);
});

Deno.test("openFilterOf() sends all of a kind when there are too many marks", () => {
  const many = Array.from({ length: OPEN_MARKS_MAX + 1 }, (_, i) => test("name", `/p${i}`));
  assertEquals(openFilterOf([rule(or(many), "file_event")]), {
    marks: [],
    every: OPEN_BITS.write,
    deep: 0,
  });
});

const NAME = fc.constantFrom("a", "b", "B", "a.pth", ".b", "x y");
const PATH = fc.array(NAME, { minLength: 1, maxLength: 6 }).map((names) => `/${names.join("/")}`);
const PIECE = fc.tuple(fc.boolean(), fc.array(NAME, { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([before, names, after]) => `${before ? "/" : ""}${names.join("/")}${after ? "/" : ""}`);
const PATTERN = fc.array(
  fc.oneof({ weight: 3, arbitrary: PIECE }, fc.constant(ANY), fc.constant(ONE)),
  { minLength: 1, maxLength: 4 },
);
const FIELD = fc.constantFrom("TargetFilename", "TargetFilename", "TargetFilename", "Image");
const TEST: fc.Arbitrary<Expression> = fc.oneof(
  fc.tuple(FIELD, PATH).map(([field, path]) => test(field, path)),
  fc.tuple(FIELD, PIECE).map(([field, text]) => test(field, ANY, text)),
  fc.tuple(FIELD, PIECE).map(([field, text]) => test(field, text, ANY)),
  fc.tuple(FIELD, PIECE).map(([field, text]) => test(field, ANY, text, ANY)),
  fc.tuple(FIELD, PATTERN).map(([field, parts]) => test(field, ...parts)),
);
const TREE: fc.Arbitrary<Expression> = fc.letrec<{ tree: Expression }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    TEST,
    fc.array(tie("tree"), { minLength: 2, maxLength: 3 }).map(and),
    fc.array(tie("tree"), { minLength: 2, maxLength: 3 }).map(or),
    tie("tree").map((of) => ({ kind: "not", of }) as const),
  ),
})).tree;
const RULE = fc.tuple(TREE, fc.constantFrom("file_access", "file_event"));

Deno.test("openFilterOf() is sound: what a kernel filters away fires no rule", () => {
  let [filtered, fired] = [0, 0];
  fc.assert(
    fc.property(
      fc.array(RULE, { minLength: 1, maxLength: 3 }),
      PATH,
      PATH,
      fc.boolean(),
      (rules, path, image, writes) => {
        const filter = openFilterOf(rules.map(([tree, category]) => rule(tree, category)));
        const event = new Map([["TargetFilename", path], ["Image", image]]);
        const fires = rules.some(([tree, category]) =>
          (writes || category === "file_access") && evaluate(tree, event)
        );
        if (fires) fired++;
        if (sends(filter, path, writes)) return;
        filtered++;
        assert(!fires);
      },
    ),
    { numRuns: 20_000 },
  );
  assert(filtered > 2000, `only ${filtered} were filtered: the test tests little`);
  assert(fired > 500, `only ${fired} fired: the test tests little`);
});
