import { assertEquals } from "@std/assert";
import { casesOf, summarize } from "./junit.ts";

Deno.test("summarize() counts passed, failed and skipped cases", () => {
  const xml = `<testsuites><testsuite>
    <testcase name="a" classname="x" time="0.1" line="1" col="6">
    </testcase>
    <testcase name="b &quot;q&quot; &amp; &lt;c&gt;" classname="x"><skipped/></testcase>
    <testcase name="d" classname="x"><failure message="no">why</failure></testcase>
    <testcase name="e" classname="x"/>
  </testsuite></testsuites>`;
  assertEquals(summarize(xml), {
    passed: 2,
    failures: [{ name: "d", state: "failed", detail: "why" }],
    skipped: ['b "q" & <c>'],
  });
});

Deno.test("casesOf() has what a test that failed said", () => {
  const xml = `<testcase name="a"><failure message="no">it is &gt; 3</failure></testcase>
    <testcase name="b"/>`;
  assertEquals(casesOf(xml), [
    { name: "a", state: "failed", detail: "it is > 3" },
    { name: "b", state: "passed", detail: "" },
  ]);
});
