import { assert, assertEquals } from "@std/assert";
import { assessPattern, COMPLEX_SCORE } from "./safety.ts";

Deno.test("assessPattern() names patterns that split a text in many ways DANGEROUS", () => {
  const patterns = [
    "(a+)+",
    "(a|a)+",
    "(a|aa)+$",
    "(.*.*)+",
    "(.+)+",
    "([a-zA-Z]+)*$",
    "((ab)*)*",
    "(?:x+x+)+y",
    "(\\w|\\d)+",
    "(ab|a|ba)+",
    "(a{1,50}){1,50}",
  ];
  for (const pattern of patterns) {
    const { verdict, reason } = assessPattern(pattern);
    assertEquals([pattern, verdict], [pattern, "DANGEROUS"]);
    assert(reason.length > 0);
  }
});

Deno.test("assessPattern() names a back-reference DANGEROUS, and its place", () => {
  const { verdict, at } = assessPattern("(a)\\1");
  assertEquals([verdict, at], ["DANGEROUS", 3]);
});

Deno.test("assessPattern() names what does not parse INVALID, and its place", () => {
  for (const [pattern, at] of [["[a-", 3], ["a(b", 1], ["*a", 0], ["a{3,2}", 1], ["(?=a)b", 0]]) {
    const found = assessPattern(String(pattern));
    assertEquals([pattern, found.verdict, found.at], [pattern, "INVALID", at]);
  }
});

Deno.test("assessPattern() leaves harmless patterns SAFE", () => {
  for (
    const pattern of [
      "a+b+",
      "ab?c?",
      "(foo)+(bar)+",
      "(\\d{1,3}\\.){3}\\d{1,3}",
      "(foo|far)+",
      "(a|b)*",
      "^/tmp/.*\\.sh$",
    ]
  ) {
    assertEquals([pattern, assessPattern(pattern).verdict], [pattern, "SAFE"]);
  }
});

Deno.test("assessPattern() adds up the parts, and names a high sum COMPLEX", () => {
  assertEquals(assessPattern("ab[cd]+").score, 0.7 + 3 + 5);
  assertEquals(assessPattern("(a|b)").score, 0.5 + 15 + 10 + 2);
  const { verdict, score } = assessPattern("(foo|bar)(baz|qux)");
  assertEquals(verdict, "COMPLEX");
  assert(score >= COMPLEX_SCORE);
});

Deno.test("assessPattern() gives up comparing branches when it took too many steps", () => {
  const twice = "\\d{1,2}y|\\d{1,2}y";
  assertEquals(assessPattern(`(${twice})+`).verdict, "DANGEROUS");
  const many = Array.from({ length: 300 }, (_, i) => `\\d{1,3}x${i}`).join("|");
  assertEquals(assessPattern(`(${many}|${twice})+`).verdict, "COMPLEX");
});
