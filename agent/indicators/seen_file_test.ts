import { assert, assertEquals } from "@std/assert";
import { inFolder } from "../pipeline/_pipeline_test_support.ts";
import { readSeen, SEEN_MAX, SeenFile } from "./seen_file.ts";

function onWarning(message: string): never {
  throw new Error(message);
}

Deno.test("SeenFile counts on where the last run stopped", () =>
  inFolder((folder) => {
    for (const nowMs of [1000, 2000]) {
      const file = new SeenFile(folder, { onWarning });
      file.count({ type: "path", value: "/tmp/a" }, nowMs);
      file.count({ type: "path", value: "/tmp/a" }, nowMs + 1);
      file.save();
    }
    assertEquals(readSeen(folder), [
      { type: "path", value: "/tmp/a", count: 4, firstMs: 1000, lastMs: 2001 },
    ]);
  }));

Deno.test("SeenFile forgets what was seen longest ago, over its bound", () =>
  inFolder((folder) => {
    const file = new SeenFile(folder, { onWarning });
    for (let i = 0; i < SEEN_MAX; i++) file.count({ type: "path", value: `/${i}` }, i);
    file.count({ type: "path", value: "/0" }, SEEN_MAX);
    file.count({ type: "path", value: "/new" }, SEEN_MAX + 1);
    file.save();
    const values = new Set(readSeen(folder).map(({ value }) => value));
    assertEquals([values.size, values.has("/0"), values.has("/1")], [SEEN_MAX, true, false]);
  }));

Deno.test("readSeen() takes nothing from a file that does not hold", () =>
  inFolder((folder) => {
    assertEquals(readSeen(folder), []);
    for (
      const text of ["", "{", '{"version":2,"seen":[]}', '{"version":1,"seen":[1,{"type":"x"}]}']
    ) {
      Deno.writeTextFileSync(`${folder}/seen`, text);
      assertEquals(readSeen(folder), []);
    }
  }));

Deno.test("SeenFile tells once that it cannot be written", () => {
  const warnings: string[] = [];
  const file = new SeenFile("/nonexistent", { onWarning: (line) => warnings.push(line) });
  for (let i = 0; i < 3; i++) {
    file.count({ type: "path", value: "/tmp/a" }, i);
    file.save();
  }
  assertEquals(warnings.length, 1);
  assert(warnings[0]?.includes("/nonexistent/seen"));
});
