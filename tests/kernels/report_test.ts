import { assertEquals } from "@std/assert";
import { decodeReport, encodeReport, type GuestReport } from "./report.ts";

const REPORT: GuestReport = {
  type: "test",
  test: { name: 'a "b"', state: "failed", detail: "line\nline" },
};

Deno.test("decodeReport() reads what encodeReport() wrote, as one line", () => {
  const line = encodeReport(REPORT);
  assertEquals(line.split("\n").length, 2);
  assertEquals(decodeReport(line.trimEnd()), REPORT);
});

Deno.test("decodeReport() finds a report behind words of the kernel, and nothing in others", () => {
  assertEquals(decodeReport(`[    1.2] random: ${encodeReport({ type: "end" })}`), { type: "end" });
  const cut = encodeReport(REPORT).slice(0, 30);
  for (const line of ["", "[    0.0] Linux version", cut, "@immune 3", "@immune null"]) {
    assertEquals(decodeReport(line), undefined, line);
  }
});
