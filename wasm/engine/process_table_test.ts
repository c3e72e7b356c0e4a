import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { encodeRecord } from "../../common/record/mod.ts";
import { fill, text } from "./_engine_test_support.ts";
import { Engine } from "./engine.ts";

/** Rows in the tables of these tests: few, so that they overflow. */
const ROWS = 4;

interface ModelRow {
  image: string | undefined;
  parent: string;
}

/** The table as specs/hot_path.md has it, over Maps in order of last sight and of end. */
class Model {
  readonly live = new Map<string, ModelRow>();
  readonly ended = new Map<string, ModelRow>();
  evictedLive = 0;
  exitsMissed = 0;

  get(key: string): ModelRow | undefined {
    return this.live.get(key) ?? this.ended.get(key);
  }

  make(key: string): ModelRow {
    const pid = key.split("@")[0];
    const older = [...this.live.keys()].find((each) => each.split("@")[0] === pid);
    if (older !== undefined) {
      this.exitsMissed++;
      this.end(older);
    }
    if (this.live.size + this.ended.size === ROWS) {
      const list = this.ended.size > 0 ? this.ended : this.live;
      if (list === this.live) this.evictedLive++;
      const [first] = list.keys();
      if (first !== undefined) list.delete(first);
    }
    const row: ModelRow = { image: undefined, parent: "" };
    this.live.set(key, row);
    return row;
  }

  touch(key: string): void {
    const row = this.live.get(key);
    if (row === undefined) return;
    this.live.delete(key);
    this.live.set(key, row);
  }

  end(key: string): void {
    const row = this.live.get(key);
    if (row === undefined) return;
    this.live.delete(key);
    this.ended.set(key, row);
  }
}

interface Step {
  readonly kind: "exec" | "fork" | "exit" | "process";
  readonly pid: number;
  readonly start: number;
  readonly parent: number;
  readonly parentStart: number;
  readonly image: number;
}

function apply(model: Model, step: Step): void {
  const key = `${step.pid}@${step.start}`;
  const parent = `${step.parent}@${step.parentStart}`;
  let row = model.get(key);
  const image = `/bin/${step.image}`;
  if (step.kind === "exec") {
    row ??= model.make(key);
    row.image = image;
    row.parent = parent;
  } else if (step.kind === "fork") {
    const inherited = model.get(parent)?.image;
    const known = row?.image !== undefined;
    row ??= model.make(key);
    row.parent = parent;
    if (!known) row.image = inherited;
  } else if (step.kind === "process" && row?.image === undefined) {
    row ??= model.make(key);
    row.image = image;
    row.parent = parent;
  }
  if (row === undefined) return;
  model.touch(parent);
  model.touch(key);
  if (step.kind === "exit") model.end(key);
}

function recordOf(step: Step): Uint8Array {
  const header = {
    pid: step.pid,
    start_time_ns: step.start,
    parent_pid: step.parent,
    parent_start_time_ns: step.parentStart,
  };
  if (step.kind === "fork" || step.kind === "exit") return encodeRecord(step.kind, { header });
  return encodeRecord(step.kind, { header, slots: { image: `/bin/${step.image}`, argv: "x\0" } });
}

const pid = fc.integer({ min: 1, max: 5 });
const start = fc.integer({ min: 1, max: 3 });
const step = fc.record<Step>({
  kind: fc.constantFrom("exec", "fork", "exit", "process"),
  pid,
  start,
  parent: pid,
  parentStart: start,
  image: fc.nat(99),
});

Deno.test("process table agrees with a model over random lives, with eviction", async () => {
  let evicted = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const engine = await Engine.create({ processes: ROWS });
      const model = new Model();
      for (const each of steps) {
        apply(model, each);
        engine.scan(fill(engine, [recordOf(each)]).at(-1) ?? 0);
      }
      for (let p = 1; p <= 5; p++) {
        for (let s = 1; s <= 3; s++) {
          const key = `${p}@${s}`;
          const expected = model.get(key);
          const row = engine.process(p, BigInt(s));
          assertEquals(row !== undefined, expected !== undefined, key);
          if (row === undefined) continue;
          assertEquals(row.ended, model.ended.has(key), key);
          assertEquals(`${row.parentPid}@${row.parentStartNs}`, expected?.parent, key);
          assertEquals(text(engine.program(row.program)?.image), expected?.image, key);
        }
      }
      const stats = engine.stats();
      assertEquals(stats.processes_live, model.live.size);
      assertEquals(stats.processes_ended, model.ended.size);
      assertEquals(stats.processes_evicted_live, model.evictedLive);
      assertEquals(stats.exits_missed, model.exitsMissed);
      evicted += model.evictedLive;
    }),
    { numRuns: 150 },
  );
  assertEquals(evicted > 0, true, "no run evicted a live row");
});

Deno.test("process table keeps no program longer than the scan after its last row", async () => {
  const engine = await Engine.create();
  const exec = (image: string) =>
    encodeRecord("exec", { header: { pid: 9, start_time_ns: 9n }, slots: { image } });
  engine.scan(fill(engine, [exec("/bin/a"), exec("/bin/b"), exec("/bin/c")]).at(-1) ?? 0);
  assertEquals(engine.stats().programs, 3);
  engine.scan(0);
  assertEquals(engine.stats().programs, 1);
});

Deno.test("process table keeps a reserve of program bytes: ended rows go first", async () => {
  const engine = await Engine.create({ processes: 8192 });
  const argv = "x".repeat(15_000);
  const record = (pid: number) =>
    encodeRecord("exec", {
      header: { pid, start_time_ns: 1n },
      slots: { image: `/bin/${pid}`, argv },
    });
  const exit = (pid: number) => encodeRecord("exit", { header: { pid, start_time_ns: 1n } });
  for (let i = 1; i <= 3000; i++) {
    engine.scan(fill(engine, i <= 1000 ? [record(i), exit(i)] : [record(i)]).at(-1) ?? 0);
  }
  const stats = engine.stats();
  assertEquals(stats.programs_refused, 0);
  assertEquals(engine.process(1, 1n), undefined, "an ended row stayed");
  assertEquals(engine.process(1001, 1n)?.program, 0, "the oldest live row kept its program");
  assertEquals(stats.programs_evicted_live > 0, true);
  assertEquals(text(engine.program(engine.process(3000, 1n)?.program ?? 0)?.image), "/bin/3000");
  // Programs of 16 KiB blocks: at most 28 of 32 MiB stay, and what one scan adds.
  assertEquals(stats.program_bytes <= 28 * 1024 * 1024 + 16 * 1024, true);
});

Deno.test("process() with start time 0 finds the live process of a pid", async () => {
  const engine = await Engine.create();
  const fork = (start_time_ns: bigint) =>
    encodeRecord("fork", { header: { pid: 3, start_time_ns, parent_pid: 2 } });
  engine.scan(fill(engine, [fork(5n), fork(6n)]).at(-1) ?? 0);
  assertEquals(engine.process(3, 0n)?.startNs, 6n);
  assertEquals(engine.process(3, 5n)?.ended, true);
  assertEquals(engine.process(4, 0n), undefined);
});

Deno.test("processes() gives all live rows, the least lately seen first", async () => {
  const engine = await Engine.create();
  const record = (kind: "exec" | "exit", pid: number) =>
    encodeRecord(kind, { header: { pid, start_time_ns: 1n } });
  const records = [
    record("exec", 1),
    record("exec", 2),
    record("exec", 3),
    record("exit", 2),
    record("exec", 1),
  ];
  engine.scan(fill(engine, records).at(-1) ?? 0);
  assertEquals([...engine.processes()].map(({ pid }) => pid), [3, 1]);
});
