import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { readAnswer } from "./answer.ts";

const ID = "0a".repeat(16);

function error(code: string, expected?: number): string {
  return JSON.stringify({
    error: { code, message: "Why\u0007 not", ...(expected === undefined ? {} : { expected }) },
  });
}

Deno.test("readAnswer() tells what an answer means for the message, for the agent, for later", () => {
  const cases: readonly (readonly [number, string, string])[] = [
    [200, JSON.stringify({ journalId: ID, position: 7 }), "stored"],
    [200, JSON.stringify({ journalId: ID, position: -1 }), "unreachable"],
    [200, "<html>", "unreachable"],
    [204, "", "unreachable"],
    [302, "", "unreachable"],
    [400, error("BATCH_MALFORMED"), "refused"],
    [400, "a proxy's own page", "unreachable"],
    [401, error("AUTH_REQUIRED"), "forbidden"],
    [403, error("CERTIFICATE_REFUSED"), "forbidden"],
    [404, error("NOT_FOUND"), "unreachable"],
    [408, error("INPUT_MALFORMED"), "busy"],
    [409, error("BATCH_GAP", 12), "gap"],
    [409, error("BATCH_GAP"), "unreachable"],
    [409, error("BATCH_GAP", 0), "unreachable"],
    [413, error("BATCH_TOO_LARGE"), "refused"],
    [429, error("RATE_LIMITED"), "busy"],
    [500, error("STORE_FAILED"), "busy"],
    [502, "bad gateway", "busy"],
    [507, error("STORE_FULL"), "busy"],
  ];
  for (const [status, text, type] of cases) assertEquals(readAnswer(status, text).type, type);
});

Deno.test("readAnswer() gives the hive's reason as one line", () => {
  assertEquals(readAnswer(403, error("CERTIFICATE_REFUSED")), {
    type: "forbidden",
    reason: "CERTIFICATE_REFUSED: Why  not",
  });
  assertEquals(readAnswer(409, error("BATCH_GAP", 12)), {
    type: "gap",
    expected: 12,
    reason: "BATCH_GAP: Why  not",
  });
});

Deno.test("readAnswer() takes any status and text and only 200 as stored", () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 599 }), fc.oneof(fc.json(), fc.string()), (s, text) => {
      assertEquals(s === 200 || readAnswer(s, text).type !== "stored", true);
    }),
  );
});
