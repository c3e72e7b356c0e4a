import { assert, assertEquals, assertThrows } from "@std/assert";
import { ImmuneError } from "../../common/config/errors.ts";
import { encodeRecord } from "../../common/record/mod.ts";
import { compile, fill, scanAll, text } from "./_engine_test_support.ts";
import { Engine } from "./engine.ts";

const REVERSE_SHELL = {
  category: "process_creation",
  detection: ["s: { CommandLine|contains: /dev/tcp/ }", "condition: s"],
};
const SHADOW = {
  category: "file_access",
  detection: ["s: { TargetFilename: /etc/shadow, Image|endswith: /cat }", "condition: s"],
};

function exec(
  pid: number,
  argv: string,
  options: { readonly image?: string; readonly parent?: number; readonly uid?: number } = {},
): Uint8Array {
  return encodeRecord("exec", {
    header: {
      pid,
      start_time_ns: BigInt(pid),
      parent_pid: options.parent ?? 1,
      parent_start_time_ns: BigInt(options.parent ?? 1),
      uid: options.uid ?? 0,
    },
    body: { parent_uid: 1000, real_uid: 5 },
    slots: { image: options.image ?? "/usr/bin/bash", argv, cwd: "/root", file_name: "bash" },
  });
}

Deno.test("Engine.scan() fires a rule on the exec that it wants, and on no other", async () => {
  const engine = await Engine.create();
  engine.publish(compile(REVERSE_SHELL).image);
  const records = [
    exec(42, "bash\0-c\0: /dev/tcp/127.0.0.1/4444\0"),
    exec(43, "bash\0-c\0: /dev/udp/127.0.0.1/4444\0"),
  ];
  assertEquals(scanAll(engine, records), [[0], []]);
});

Deno.test("Engine.scan() gives the same empty array when nothing fires", async () => {
  const engine = await Engine.create();
  const [, end] = fill(engine, [exec(1, "true\0")]);
  assert(engine.scan(end ?? 0) === engine.scan(0));
});

Deno.test("Engine.scan() reads NUL as space and drops the last one", async () => {
  const engine = await Engine.create();
  const rule = (test: string) => ({
    category: "process_creation",
    detection: [`s: { ${test} }`, "condition: s"],
  });
  engine.publish(
    compile(
      rule("CommandLine: 'ls -la /tmp'"),
      rule("CommandLine|endswith: ' /tmp'"),
      rule("CommandLine|startswith: 'ls -'"),
      rule("CommandLine|contains: 's -l'"),
      rule("CommandLine: 'ls*tm?'"),
      rule("CommandLine: 'ls -la /tmp '"),
    ).image,
  );
  assertEquals(scanAll(engine, [exec(9, "LS\0-la\0/tmp\0")]), [[0, 1, 2, 3, 4]]);
});

Deno.test("Engine.scan() matches an open with the image of its process", async () => {
  const engine = await Engine.create();
  engine.publish(compile(SHADOW).image);
  const open = (pid: number) =>
    encodeRecord("open", {
      header: { pid, start_time_ns: BigInt(pid) },
      body: { open_flags: 0 },
      slots: { path: "/etc/shadow" },
    });
  const records = [
    exec(5, "cat\0/etc/shadow\0", { image: "/usr/bin/cat" }),
    exec(6, "sshd\0", { image: "/usr/sbin/sshd" }),
    open(5),
    open(6),
    open(7),
  ];
  assertEquals(scanAll(engine, records), [[], [], [0], [], []]);
  assertEquals(engine.stats().processes_unknown, 1);
});

Deno.test("Engine.scan() names process, parent and their programs in a hit", async () => {
  const engine = await Engine.create();
  engine.publish(compile(REVERSE_SHELL).image);
  const fork = encodeRecord("fork", {
    header: { pid: 8, start_time_ns: 8n, parent_pid: 7, parent_start_time_ns: 7n },
  });
  const offsets = fill(engine, [
    exec(7, "python\0serve.py\0--token\0hunter2\0", { image: "/usr/bin/python3" }),
    fork,
    exec(8, "bash\0/dev/tcp/\0", { parent: 7 }),
    exec(8, "true\0", { parent: 7, image: "/bin/true" }),
  ]);
  const [hit, ...others] = engine.scan(offsets.at(-1) ?? 0);
  assert(hit !== undefined && others.length === 0);
  assertEquals(hit.offset, offsets[2]);
  assertEquals(hit.generation, 1);
  const process = engine.processAt(hit.process);
  assertEquals([process?.pid, process?.startNs, process?.realUid], [8, 8n, 5]);
  assertEquals(text(engine.program(hit.program)?.argv), "bash\0/dev/tcp/\0");
  assertEquals(text(engine.program(process?.program ?? 0)?.image), "/bin/true");
  assertEquals(engine.processAt(hit.parent)?.pid, 7);
  const parent = engine.program(hit.parentProgram);
  assertEquals(text(parent?.image), "/usr/bin/python3");
  assertEquals(text(parent?.argv), "python\0serve.py\0--token\0*******\0");
  assertEquals(text(parent?.cwd), "/root");
});

Deno.test("Engine.scan() ends a batch at a malformed record and counts the bytes", async () => {
  const engine = await Engine.create();
  engine.publish(compile(REVERSE_SHELL).image);
  const good = exec(42, "/dev/tcp/\0");
  const length = new DataView(good.buffer).getUint32(0, true);
  for (const wrong of [0, length + 4, length - 8, 88, 24 * 1024 + 8, 0xFFFF_FFF8]) {
    const before = engine.stats();
    const bad = exec(43, "/dev/tcp/\0");
    new DataView(bad.buffer).setUint32(0, wrong, true);
    // "length - 8" leaves argv's end outside of the record.
    assertEquals(scanAll(engine, [good, bad]), [[0], []], `length ${wrong}`);
    const after = engine.stats();
    assertEquals(after.records_malformed - before.records_malformed, 1);
    assertEquals(after.bytes_malformed - before.bytes_malformed, bad.length);
  }
});

Deno.test("Engine.scan() goes on when the region of hits is full", async () => {
  const engine = await Engine.create();
  const count = 3000;
  const rules = Array.from({ length: count }, () => ({
    category: "process_creation",
    detection: ["s: { CommandLine|contains: x }", "condition: s"],
  }));
  engine.publish(compile(...rules).image);
  const fired = scanAll(engine, [1, 2, 3, 4, 5, 6].map((pid) => exec(pid, "x\0")));
  for (const rulesOfRecord of fired) {
    assertEquals(rulesOfRecord, Array.from({ length: count }, (_, i) => i));
  }
  const stats = engine.stats();
  assertEquals([stats.hits, stats.hits_full, stats.records], [6 * count, 2, 6]);
});

Deno.test("Engine.scan() bounds what it gives back and counts the rest", async () => {
  const engine = await Engine.create();
  const rules = Array.from({ length: 1000 }, () => ({
    category: "process_creation",
    detection: ["s: { CommandLine|contains: x }", "condition: s"],
  }));
  engine.publish(compile(...rules).image);
  const records = Array.from({ length: 70 }, (_, i) => exec(i + 1, "x\0"));
  assertEquals(engine.scan(fill(engine, records).at(-1) ?? 0).length, 65_536);
  assertEquals(engine.stats().hits_dropped, 70_000 - 65_536);
});

Deno.test("Engine.scan() refuses a length over the batch", async () => {
  const engine = await Engine.create();
  assertThrows(() => engine.scan(engine.batch.length + 8), RangeError, "Cannot scan");
});

Deno.test("Engine.publish() keeps the active image when the next one is torn", async () => {
  const engine = await Engine.create();
  const { image } = compile(REVERSE_SHELL);
  engine.publish(image);
  const torn = image.slice();
  torn[torn.length - 1] = (torn[torn.length - 1] ?? 0) ^ 1;
  assertThrows(() => engine.publish(torn), ImmuneError, "hash");
  assertThrows(() => engine.publish(image.subarray(0, 50)), ImmuneError);
  assertEquals(scanAll(engine, [exec(1, "/dev/tcp/\0")]), [[0]]);
});

Deno.test("Engine.publish() replaces the rules; the process table stays", async () => {
  const engine = await Engine.create();
  engine.publish(compile(REVERSE_SHELL).image);
  scanAll(engine, [exec(5, "cat\0", { image: "/bin/cat" })]);
  engine.publish(compile(SHADOW).image);
  const open = encodeRecord("open", {
    header: { pid: 5, start_time_ns: 5n },
    slots: { path: "/etc/shadow" },
  });
  assertEquals(scanAll(engine, [exec(1, "/dev/tcp/\0"), open]), [[], [0]]);
});

Deno.test("Engine.mask() overwrites after matching and flags the record", async () => {
  const engine = await Engine.create();
  const rule = {
    category: "process_creation",
    detection: ["s: { CommandLine|contains: hunter2 }", "condition: s"],
  };
  engine.publish(compile(rule).image);
  const records = [exec(1, "mysql\0--password=hunter2\0"), exec(2, "true\0")];
  assertEquals(scanAll(engine, records), [[0], []]);
  const [first = 0, second = 0, end = 0] = fill(engine, records);
  assertEquals(engine.mask(end), 1);
  const masked = text(engine.batch.slice(first, second)) ?? "";
  assert(masked.includes("mysql\0--password=*******\0") && !masked.includes("hunter2"));
  assertEquals(new DataView(engine.batch.buffer, engine.batch.byteOffset).getUint32(16, true), 8);
  assertEquals(engine.mask(end), 0);
});
