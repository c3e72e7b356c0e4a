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

Deno.test("Engine.scan() looks for literals that a rule asks for in the fields of its events", async () => {
  const engine = await Engine.create();
  // Rules wait for the long text; what is short is asked for.
  const long = "CommandLine|contains: /dev/tcp/10.0.0.1/4444";
  engine.publish(
    compile(
      {
        category: "process_creation",
        detection: [`s: { Image|endswith: /sh, ${long} }`, "condition: s"],
      },
      {
        category: "process_creation",
        detection: [
          `s: { ${long} }`,
          "f: { CommandLine|contains: [ -q, xyz ] }",
          "condition: s and not f",
        ],
      },
      {
        category: "process_creation",
        detection: [
          `s: { ${long} }`,
          "f: { CommandLine|startswith: ab, Image|cased: /SH }",
          "condition: s and f",
        ],
      },
    ).image,
  );
  const argv = (more: string): string => `${more}\0/dev/tcp/10.0.0.1/4444\0`;
  assertEquals(
    scanAll(engine, [
      exec("/bin/sh", argv("x")),
      exec("/bin/ls", argv("x")),
      exec("/bin/sh", argv("x -q")),
      exec("/bin/ls", argv("XYZ")),
      exec("/SH", argv("AB")),
      exec("/sh", argv("AB")),
      exec("/bin/sh", "xyz -q"),
    ]),
    [[0, 1], [1], [0], [], [0, 1, 2], [0, 1], []],
  );
});

Deno.test("Engine.scan() tries what waits for a literal that rules ask for", async () => {
  const engine = await Engine.create();
  engine.publish(
    compile({
      category: "file_event",
      detection: [
        "s: { TargetFilename|endswith: /authorized_keys }",
        "f: { CommandLine|re: 'ssh-copy-id .*@' }",
        "g: { CommandLine: 'rsync*keys*' }",
        "condition: s and not f and not g",
      ],
    }).image,
  );
  const header = { pid: 7, start_time_ns: 7n };
  const slots = { path: "/root/.ssh/authorized_keys" };
  const open = encodeRecord("open", { header, body: { open_flags: 1 }, slots });
  const fired = (argv: string): readonly number[][] =>
    scanAll(engine, [exec("/x", argv), open, open]);
  assertEquals(fired("sh\0-c\0"), [[], [0], [0]]);
  assertEquals(fired("ssh-copy-id\0me@host\0"), [[], [], []]);
  assertEquals(fired("rsync\0my-keys\0"), [[], [], []]);
  assertEquals(fired("ssh-copy-id\0host\0"), [[], [0], [0]]);
});
