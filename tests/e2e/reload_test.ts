import { assert, assertEquals } from "@std/assert";
import { RELOAD_BATCH_RECORDS, reloadUnderLoad } from "../support/reload.ts";

Deno.test("rule sets change under load: no hit of another set, no record skipped", async () => {
  const reloads = 60;
  const reports = await reloadUnderLoad({ engines: 2, reloads, rules: 200 });
  assertEquals(reports.length, 2);
  for (const { batches, torn, records, malformed, pausesMs } of reports) {
    assertEquals(pausesMs.length, reloads);
    assert(batches >= reloads * 2, `${batches} batches`);
    assertEquals({ torn, malformed, records }, {
      torn: 0,
      malformed: 0,
      records: batches * RELOAD_BATCH_RECORDS,
    });
  }
});
