import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ago, exact, moment, short, visible, words } from "./format.ts";

Deno.test("short() is exact below 100,000 and short above", () => {
  assertEquals([0, 999, 12_345, 99_999, 100_000, 3_400_000].map(short), [
    "0",
    "999",
    "12,345",
    "99,999",
    "100K",
    "3.4M",
  ]);
  assertEquals(exact(3_400_001), "3,400,001");
});

Deno.test("ago() uses the largest unit that is full", () => {
  const at = (seconds: number): string => ago(new Date(0).toISOString(), seconds * 1000);
  assertEquals([-5, 0, 1, 59, 60, 3599, 3600, 86_399, 86_400].map(at), [
    "now",
    "now",
    "1 s ago",
    "59 s ago",
    "1 min ago",
    "59 min ago",
    "1 h ago",
    "23 h ago",
    "1 d ago",
  ]);
});

Deno.test("moment() reads as UTC", () => {
  assertEquals(moment("2026-11-22T23:46:29.123Z"), "2026-11-22 23:46:29 UTC");
});

Deno.test("words() parts a machine's name", () => {
  assertEquals(words("journal_evicted"), "journal evicted");
});

Deno.test("visible() leaves nothing that hides or turns text, and keeps the rest", () => {
  assertEquals(visible("a\u202eb\x1b[31m\u200b"), "a\\u202eb\\u001b[31m\\u200b");
  assertEquals(visible("Grüße, 世界 🙂"), "Grüße, 世界 🙂");
  assertEquals(visible("abcdef", { max: 3 }), "abc …");
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert(!/[\p{Cc}\u200b-\u200f\u202a-\u202e\u2066-\u2069]/u.test(visible(text)));
  }));
});
