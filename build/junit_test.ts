import { assertEquals } from "@std/assert";
import { summarize } from "./junit.ts";

Deno.test("summarize() counts passed, failed and skipped cases", () => {
  const xml = `<testsuites><testsuite>
    <testcase name="a" classname="x" time="0.1" line="1" col="6">
    </testcase>
    <testcase name="b &quot;q&quot; &amp; &lt;c&gt;" classname="x"><skipped/></testcase>
    <testcase name="d" classname="x"><failure message="no">why</failure></testcase>
    <testcase name="e" classname="x"/>
  </testsuite></testsuites>`;
  assertEquals(summarize(xml), { passed: 2, failed: 1, skipped: ['b "q" & <c>'] });
});
