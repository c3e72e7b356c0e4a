import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseSyslogLine } from "./syslog_line.ts";

const NOW = Date.UTC(2026, 10, 28, 12);

Deno.test("parseSyslogLine() reads RFC 3164 in the host's time, the last such moment", () => {
  const line = parseSyslogLine("Nov 28 03:41:04 gpu-1 sshd[812]: Server listening", NOW);
  assertEquals(line, {
    origin: "file",
    timeMs: new Date(2026, 10, 28, 3, 41, 4).getTime(),
    program: "sshd",
    pid: 812,
    message: "Server listening",
  });
  const last = parseSyslogLine("Dec 31 23:59:59 gpu-1 sudo: x", NOW);
  assertEquals(last?.timeMs, new Date(2025, 11, 31, 23, 59, 59).getTime());
  const single = parseSyslogLine("<38>Nov  1 00:00:00 h su[7]: y", NOW);
  assertEquals([single?.program, single?.pid, single?.message], ["su", 7, "y"]);
  const leap = parseSyslogLine("Feb 29 01:02:03 h a: b", Date.UTC(2024, 2, 1));
  assertEquals(leap?.timeMs, new Date(2024, 1, 29, 1, 2, 3).getTime());
  assertEquals(parseSyslogLine("Feb 29 01:02:03 h a: b", NOW)?.timeMs, undefined);
});

Deno.test("parseSyslogLine() reads rsyslog's ISO 8601 form with its zone", () => {
  const line = parseSyslogLine("2026-11-28T03:41:04.123456+02:00 h sshd-session[9]: m: n", NOW);
  assertEquals(line?.timeMs, Date.UTC(2026, 10, 28, 1, 41, 4, 123));
  assertEquals([line?.program, line?.pid, line?.message], ["sshd-session", 9, "m: n"]);
});

Deno.test("parseSyslogLine() reads RFC 5424 with structured data and without", () => {
  const head = "<34>1 2026-11-28T03:41:04.5Z h sshd 77 ID";
  const plain = parseSyslogLine(`${head} - \uFEFFAccepted`, NOW);
  assertEquals([plain?.program, plain?.pid, plain?.message], ["sshd", 77, "Accepted"]);
  const data = String.raw`[a@1 x="\]" y="\"\]"][b z=""]`;
  assertEquals(parseSyslogLine(`${head} ${data} text`, NOW)?.message, "text");
  assertEquals(parseSyslogLine(`${head} [a@1 x="1" text`, NOW), undefined);
});

Deno.test("parseSyslogLine() takes a tag only where it stands: behind time and host", () => {
  const forged = parseSyslogLine("Nov 28 03:41:04 h app: sshd[1]: Accepted password for root", NOW);
  assertEquals([forged?.program, forged?.pid], ["app", 0]);
  const none = parseSyslogLine("Nov 28 03:41:04 h -- MARK --", NOW);
  assertEquals([none?.program, none?.message], ["", "-- MARK --"]);
  for (const line of ["", "x", "Nov 28 03:41 h a: b", " Nov 28 03:41:04 h a: b"]) {
    assertEquals(parseSyslogLine(line, NOW), undefined, line);
  }
});

Deno.test("parseSyslogLine() keeps a process id only that a kernel can give", () => {
  for (const [pid, kept] of [["0", 0], ["4194304", 4194304], ["4194305", 0], ["9999999999", 0]]) {
    assertEquals(parseSyslogLine(`Nov 28 03:41:04 h a[${pid}]: b`, NOW)?.pid, kept);
  }
});

Deno.test("parseSyslogLine() takes any text and gives back the message as it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      parseSyslogLine(text, NOW);
      const line = parseSyslogLine(`Nov 28 03:41:04 h sshd[5]: ${text}`, NOW);
      assertEquals([line?.program, line?.pid, line?.message], ["sshd", 5, text]);
    }),
    { numRuns: 500 },
  );
});
