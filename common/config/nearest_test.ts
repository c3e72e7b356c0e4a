import { assertEquals } from "@std/assert";
import { nearest } from "./nearest.ts";

Deno.test("nearest() gives the name with the fewest edits, within three and half the name", () => {
  assertEquals(nearest("flushms", ["flush_ms", "total_bytes"]), "flush_ms");
  assertEquals(nearest("jurnal", ["rules", "journal"]), "journal");
  assertEquals(nearest("abcdef", ["uvwxyz"]), undefined);
  assertEquals(nearest("quiet", ["rules"]), undefined);
});
