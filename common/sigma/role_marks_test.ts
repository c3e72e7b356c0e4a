import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { evaluate } from "./_evaluate_test_support.ts";
import { and, type Expression, type FieldTest, or } from "./expression.ts";
import { MARK_SEQUENCE_MAX, type RoleMarks, roleMarksOf, TERMS_MAX } from "./role_marks.ts";
import { ANY, foldCase, type Pattern } from "./value.ts";

function test(field: string, ...pattern: Pattern): FieldTest {
  return { kind: "test", field, criterion: { type: "pattern", pattern, cased: false } };
}

function not(of: Expression): Expression {
  return { kind: "not", of };
}

interface Part {
  readonly name: string;
  readonly before: boolean;
  readonly after: boolean;
}

function parts(text: string, isPath: boolean): readonly Part[] {
  const names = text.split("/");
  const all = names.map((name, i) => ({
    name,
    before: i > 0,
    after: i < names.length - 1,
  }));
  return isPath ? all.slice(1) : all;
}

/** The role that a kernel finds: by hand what bpf/lib/label.h does by hashes. */
function roleOf(
  { marks, terms }: RoleMarks,
  program: { readonly image: string; readonly args: readonly string[] },
): number {
  const has = (mark: RoleMarks["marks"][number], of: readonly Part[]): boolean => {
    const { type, components, slashBefore, slashAfter } = mark;
    return of.some((_, from) => {
      const at = of.slice(from, from + components.length);
      if (at.map(({ name }) => foldCase(name)).join("/") !== components.join("/")) return false;
      if (at.length !== components.length) return false;
      if (slashBefore && !at[0]?.before) return false;
      if (slashAfter && !at.at(-1)?.after) return false;
      if (type === "path" || type === "directory") return from === 0 && isWhole(type, at, of);
      return type !== "tail" || from + at.length === of.length;
    });
  };
  const image = parts(program.image, true);
  let bits = 0n;
  for (const mark of marks) {
    const texts = mark.type === "argument"
      ? program.args.map((text) => parts(text, false))
      : [image];
    if (texts.some((text) => has(mark, text))) bits |= mark.bits;
  }
  return terms.find(({ all, none }) => (bits & all) === all && (bits & none) === 0n)?.role ?? 0;
}

function isWhole(type: string, at: readonly Part[], of: readonly Part[]): boolean {
  return type === "path" ? at.length === of.length : at.length < of.length;
}

function one(expression: Expression): RoleMarks {
  return roleMarksOf([{ role: 7, expression }]);
}

Deno.test("roleMarksOf() decides whole paths, directories, names and components", () => {
  const cases: readonly (readonly [FieldTest, string, string])[] = [
    [test("Image", "/usr/bin/ollama"), "/usr/bin/ollama", "/usr/bin/ollama2"],
    [test("Image", ANY, "/ollama"), "/opt/Ollama", "/opt/xollama"],
    [test("Image", "/opt/x/", ANY), "/opt/x/y/z", "/opt/x"],
    [test("Image", ANY, "/a/b/", ANY), "/x/a/b/c", "/x/a/b"],
  ];
  for (const [expression, yes, no] of cases) {
    const marks = one(expression);
    assertEquals(roleOf(marks, { image: yes, args: [] }), 7, yes);
    assertEquals(roleOf(marks, { image: no, args: [] }), 0, no);
  }
  const argument = one(test("CommandLine", ANY, "/@a/b/", ANY));
  assertEquals(roleOf(argument, { image: "/x", args: ["node", "/l/@a/b/c.js"] }), 7);
  assertEquals(roleOf(argument, { image: "/x", args: ["node", "@a/b/c.js"] }), 0);
});

Deno.test("roleMarksOf() leaves to user space what no mark tells", () => {
  const undecided: readonly Expression[] = [
    test("CommandLine", "VLLM::", ANY),
    test("CurrentDirectory", "/srv"),
    test("Image", ANY, "/a/b/c/d/e"),
    { kind: "test", field: "Image", criterion: { type: "pattern", pattern: ["/A"], cased: true } },
    not(test("Image", ANY, "/sh")),
    and([test("Image", ANY, "/a"), test("CurrentDirectory", "/srv")]),
    and([test("Image", ANY, "/a"), not(test("CommandLine", ANY, "install", ANY))]),
  ];
  for (const expression of undecided) assertEquals(one(expression).terms, []);
});

Deno.test("roleMarksOf() stays within its bounds", () => {
  const many = Array.from({ length: 100 }, (_, i) => test("Image", ANY, `/p${i}`));
  const roles = many.map((expression, i) => ({ role: i + 1, expression }));
  const { marks, terms } = roleMarksOf(roles);
  assertEquals([marks.length, terms.length], [TERMS_MAX, TERMS_MAX]);
  const wide = and(Array.from({ length: 8 }, () => or(many.map((part) => and([part, part])))));
  assert(one(wide).terms.length <= TERMS_MAX);
});

const NAME = fc.constantFrom("a", "b", "B", "sh", "", "x y");
const PATH = fc.array(NAME, { minLength: 1, maxLength: 5 }).map((names) => `/${names.join("/")}`);
const TEXT = fc.tuple(fc.boolean(), fc.array(NAME, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([before, names, after]) => `${before ? "/" : ""}${names.join("/")}${after ? "/" : ""}`)
  .filter((text) => text !== "");
const TEST: fc.Arbitrary<Expression> = fc.oneof(
  PATH.map((path) => test("Image", path)),
  TEXT.map((text) => test("Image", ANY, text)),
  TEXT.map((text) => test("Image", text, ANY)),
  TEXT.map((text) => test("Image", ANY, text, ANY)),
  TEXT.map((text) => test("CommandLine", ANY, text, ANY)),
  TEXT.map((text) => test("CommandLine", text, ANY)),
);
const TREE: fc.Arbitrary<Expression> = fc.letrec<{ tree: Expression }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    TEST,
    fc.array(tie("tree"), { minLength: 2, maxLength: 3 }).map(and),
    fc.array(tie("tree"), { minLength: 2, maxLength: 3 }).map(or),
    tie("tree").map(not),
  ),
})).tree;

Deno.test("roleMarksOf() is sound: what a kernel decides, the expression says too", () => {
  let decided = 0;
  fc.assert(
    fc.property(TREE, PATH, fc.array(TEXT, { maxLength: 3 }), (expression, image, args) => {
      if (roleOf(one(expression), { image, args }) === 0) return;
      decided++;
      const event = new Map([["Image", image], ["CommandLine", args.join(" ")]]);
      assert(evaluate(expression, event));
    }),
    { numRuns: 20_000 },
  );
  assert(decided > 500, `only ${decided} were decided: the test tests little`);
  assertEquals(MARK_SEQUENCE_MAX, 4);
});
