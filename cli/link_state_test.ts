import { assertEquals } from "@std/assert";
import { readLinkState, writeLinkState } from "./link_state.ts";

Deno.test("readLinkState() gives what writeLinkState() said last, and nothing else", async () => {
  const folder = await Deno.makeTempDir();
  assertEquals(readLinkState(folder), undefined);
  writeLinkState(folder, { state: "CONNECTED" });
  assertEquals(readLinkState(folder)?.state, "CONNECTED");
  writeLinkState(folder, { state: "ERROR", reason: "PIN_MISMATCH: another hive", retryMs: 5 });
  const { state, reason } = readLinkState(folder) ?? {};
  assertEquals([state, reason], ["ERROR", "PIN_MISMATCH: another hive"]);
  assertEquals((Deno.statSync(`${folder}/link.json`).mode ?? 0) & 0o777, 0o600);
  Deno.writeTextFileSync(`${folder}/link.json`, '{"state":"\\u001b[2J"}');
  assertEquals(readLinkState(folder), undefined);
  await Deno.remove(folder, { recursive: true });
  writeLinkState(folder, { state: "DISCONNECTED" });
});
