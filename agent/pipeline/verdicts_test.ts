import { assertEquals, assertStringIncludes } from "@std/assert";
import { encodeRecord, FLAGS, SOURCES, VERDICT_OUTCOMES } from "../../common/record/mod.ts";
import { END_WITHIN_MS, Verdicts, VERDICTS_WAITING_MAX } from "./verdicts.ts";

function verdict(pid: number, outcome: keyof typeof VERDICT_OUTCOMES, source = 1): Uint8Array {
  return encodeRecord("verdict", {
    header: { pid, start_time_ns: 7n, sequence: pid, source },
    body: { outcome: VERDICT_OUTCOMES[outcome], tier: 4, action: 1, entry: 1 },
    slots: { path: "/tmp/x" },
  });
}

function exit(pid: number, signal: number, startTimeNs = 7n): Uint8Array {
  return encodeRecord("exit", { header: { pid, start_time_ns: startTimeNs }, body: { signal } });
}

function batch(...records: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(records.flatMap((record) => [...record]));
}

Deno.test("Verdicts.take() verifies a killed process by its own end, and no other's", () => {
  const verdicts = new Verdicts(() => 0);
  assertEquals(verdicts.take(batch(verdict(5, "killed"), exit(6, 9), exit(5, 9, 8n))), []);
  const [judged] = verdicts.take(batch(exit(5, 9)));
  assertEquals([judged?.verdict.pid, judged?.finding.verified], [5, true]);
  assertEquals(verdicts.waiting, 0);
  verdicts.take(verdict(5, "killed"));
  assertEquals(verdicts.take(exit(5, 0))[0]?.finding.verified, false);
});

Deno.test("Verdicts.take() tells at once what has no end to wait for", () => {
  const verdicts = new Verdicts(() => 0);
  const judged = verdicts.take(batch(
    verdict(1, "refused"),
    verdict(2, "monitored"),
    verdict(3, "capped"),
    verdict(4, "failed"),
    verdict(5, "killed", SOURCES.enforcement),
  ));
  assertEquals(judged.map(({ finding }) => finding.verified), [true, false, false, false, false]);
});

Deno.test("Verdicts.take() tells why a file was judged whose place is not known", () => {
  const told = (flags: number, outcome: keyof typeof VERDICT_OUTCOMES): string | undefined =>
    new Verdicts(() => 0).take(encodeRecord("verdict", {
      header: { pid: 1, start_time_ns: 7n, sequence: 1, source: 1, flags },
      body: { outcome: VERDICT_OUTCOMES[outcome], tier: 1, action: 1, entry: 1 },
      slots: { path: "/tmp/x" },
    }))[0]?.finding.text;
  assertStringIncludes(told(FLAGS.truncated | FLAGS.unresolved, "refused") ?? "", "any directory");
  assertStringIncludes(told(FLAGS.unresolved, "failed") ?? "", "cannot be told");
  assertEquals(told(0, "monitored"), "it went on");
});

Deno.test("Verdicts.overdue() gives up after its time, and over its bound at once", () => {
  let now = 0;
  const verdicts = new Verdicts(() => now);
  for (let pid = 1; pid <= VERDICTS_WAITING_MAX; pid++) verdicts.take(verdict(pid, "killed"));
  assertEquals(verdicts.take(verdict(9999, "killed"))[0]?.finding.verified, false);
  now = END_WITHIN_MS - 1;
  assertEquals(verdicts.overdue(), []);
  now = END_WITHIN_MS;
  assertEquals(verdicts.overdue().length, VERDICTS_WAITING_MAX);
  verdicts.take(verdict(1, "killed"));
  assertEquals(verdicts.overdue(true).length, 1);
});
