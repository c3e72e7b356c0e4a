import { assert, assertEquals } from "@std/assert";
import { encodeRecord } from "../../common/record/mod.ts";
import { compile, scanAll } from "./_engine_test_support.ts";
import { Engine } from "./engine.ts";

const LONG = "x".repeat(2000);

function exec(image: string, argv: string): Uint8Array {
  return encodeRecord("exec", { header: { pid: 7, start_time_ns: 7n }, slots: { image, argv } });
}

Deno.test("Engine.scan() tries an expression only when its rule is looked at", async () => {
  const engine = await Engine.create();
  engine.publish(
    compile({
      category: "process_creation",
      detection: ["s: { Image|endswith: /find, CommandLine|re: '(.){200,}' }", "condition: s"],
    }).image,
  );
  assertEquals(scanAll(engine, [exec("/bin/ls", LONG)]), [[]]);
  assertEquals(engine.core.exports.steps_taken(), 0);
  assertEquals(scanAll(engine, [exec("/bin/find", LONG)]), [[0]]);
  assert(engine.core.exports.steps_taken() >= 200);
  assertEquals(scanAll(engine, [exec("/bin/find", "short")]), [[]]);
});

Deno.test("Engine.scan() tries an expression that two rules ask for once a record", async () => {
  const engine = await Engine.create();
  const rule = (image: string) => ({
    category: "process_creation",
    detection: [
      `s: { Image|contains: ${image}, CommandLine|re: '^(.){99}[^x]' }`,
      "condition: s",
    ],
  });
  engine.publish(compile(rule("/one"), rule("/two")).image);
  const steps = (image: string): number => {
    assertEquals(scanAll(engine, [exec(image, LONG)]), [[]]);
    return engine.core.exports.steps_taken();
  };
  assertEquals(steps("/one/two"), steps("/one"));
});

Deno.test("Engine.scan() finds in an open's program what its rule asks for late", async () => {
  const engine = await Engine.create();
  engine.publish(
    compile({
      category: "file_event",
      detection: [
        "s: { TargetFilename|endswith: .key, CommandLine|re: 'c.t' }",
        "f: { ParentImage|re: 's.h' }",
        "condition: s and not f",
      ],
    }).image,
  );
  const header = { pid: 7, start_time_ns: 7n };
  const open = encodeRecord("open", { header, body: { open_flags: 1 }, slots: { path: "/a.key" } });
  assertEquals(scanAll(engine, [exec("/bin/x", "cat\0"), open]), [[], [0]]);
  assertEquals(scanAll(engine, [exec("/bin/x", "ct\0"), open]), [[], []]);
});
