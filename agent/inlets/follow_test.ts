import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { BEHIND_BYTES_MAX, LogFile } from "./follow.ts";
import { LineBuffer } from "./line_buffer.ts";
import { LINE_BYTES_MAX } from "./log_event.ts";

/** A log in a folder of its own. */
class Log implements Disposable {
  readonly folder = Deno.makeTempDirSync();
  readonly path = `${this.folder}/auth.log`;

  append(text: string): void {
    Deno.writeTextFileSync(this.path, text, { append: true });
  }

  rotate(name = "auth.log.1"): void {
    Deno.renameSync(this.path, `${this.folder}/${name}`);
  }

  /** Renames it to the first name; what has that, or one of the next, goes on to the one behind. */
  rotateAs(names: readonly string[]): void {
    names.toReversed().forEach((name, i) => {
      const before = names[names.length - i - 2] ?? "auth.log";
      Deno.renameSync(`${this.folder}/${before}`, `${this.folder}/${name}`);
    });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** All lines that are there: going over to another file takes a look at which nothing comes. */
function lines(file: LogFile): string[] {
  const all: string[] = [];
  for (let idle = 0; idle < 4;) {
    const some = file.poll();
    idle = some === undefined ? idle + 1 : 0;
    all.push(...some ?? []);
  }
  return all;
}

/** How a restarted one, or the one that runs, goes on from `first`. */
const WAYS: readonly (readonly [string, (first: LogFile) => LogFile])[] = [
  ["running", (first) => first],
  ["restarted", (first) => {
    const { path, position } = first;
    first[Symbol.dispose]();
    return new LogFile(path, position);
  }],
];

Deno.test("LogFile begins at the end, with the line that is not whole yet", () => {
  using log = new Log();
  log.append("old\nhal");
  using file = new LogFile(log.path);
  assertEquals(lines(file), []);
  log.append("f\nnew\n");
  assertEquals(lines(file), ["half", "new"]);
});

Deno.test("LogFile begins at the start of a file that comes later", () => {
  using log = new Log();
  using file = new LogFile(log.path);
  assertEquals([lines(file), file.isOpen, file.position], [[], false, undefined]);
  log.append("a\n");
  assertEquals(lines(file), ["a"]);
});

Deno.test("LogFile follows through a renaming and loses nothing", () => {
  using log = new Log();
  log.append("");
  using file = new LogFile(log.path);
  log.append("a\n");
  log.rotate();
  log.append("c\n");
  // A writer that has the old one open still.
  Deno.writeTextFileSync(`${log.path}.1`, "b\n", { append: true });
  assertEquals(lines(file), ["a", "b", "c"]);
  assertEquals(file.losses.gaps, 0);
});

Deno.test("LogFile reads a file that was cut in place from its start, and says so", () => {
  using log = new Log();
  log.append("");
  using file = new LogFile(log.path);
  log.append("a long line\n");
  assertEquals(lines(file), ["a long line"]);
  Deno.truncateSync(log.path, 0);
  log.append("b\n");
  assertEquals(lines(file), ["b"]);
  assertEquals(file.losses.gaps, 1);
});

Deno.test("LogFile goes on where the last run stopped, behind whole lines alone", () => {
  using log = new Log();
  log.append("");
  const first = new LogFile(log.path);
  log.append("a\nb\nhal");
  assertEquals(lines(first), ["a", "b"]);
  const { position } = first;
  first[Symbol.dispose]();
  log.append("f\nc\n");
  using second = new LogFile(log.path, position);
  assertEquals(lines(second), ["half", "c"]);
  assertEquals(second.losses.gaps, 0);
});

Deno.test("LogFile finds a log again that was renamed while nobody looked", () => {
  for (const name of ["auth.log.1", "auth.log-20261128"]) {
    using log = new Log();
    log.append("");
    const first = new LogFile(log.path);
    log.append("a\n");
    lines(first);
    const { position } = first;
    first[Symbol.dispose]();
    log.append("b\n");
    log.rotate(name);
    log.append("c\n");
    using second = new LogFile(log.path, position);
    assertEquals([lines(second), second.losses.gaps], [["b", "c"], 0], name);
  }
});

Deno.test("LogFile reads all files that a log became between two looks, in their order", () => {
  for (
    const names of [
      [["auth.log.1"], ["auth.log.1", "auth.log.2"], ["auth.log.1", "auth.log.2", "auth.log.3"]],
      [["auth.log-20261127"], ["auth.log-20261128"], ["auth.log-20261129"]],
    ]
  ) {
    for (const [way, goOn] of WAYS) {
      using log = new Log();
      // One from before, and a file that is none of the log's.
      log.append("old\n");
      log.rotate(names[0]?.length === names[1]?.length ? "auth.log-20261126" : "auth.log.4");
      Deno.writeTextFileSync(`${log.path}.note`, "no log\n");
      log.append("");
      const first = new LogFile(log.path);
      log.append("a\n");
      assertEquals(lines(first), ["a"], way);
      using file = goOn(first);
      log.append("a2\n");
      log.rotateAs(names[0] ?? []);
      log.append("b\n");
      log.rotateAs(names[1] ?? []);
      log.append("c\n");
      log.rotateAs(names[2] ?? []);
      log.append("d\n");
      assertEquals([lines(file), file.losses.gaps], [["a2", "b", "c", "d"], 0], way);
    }
  }
});

Deno.test("LogFile goes on by the times of files where the one that it read is gone", () => {
  using log = new Log();
  log.append("");
  using file = new LogFile(log.path);
  log.append("a\n");
  Deno.utimeSync(log.path, 100, 100);
  assertEquals(lines(file), ["a"]);
  log.rotate();
  Deno.removeSync(`${log.path}.1`);
  // Packed with the time that it had.
  Deno.writeTextFileSync(`${log.path}.3.gz`, "");
  Deno.utimeSync(`${log.path}.3.gz`, 100, 100);
  for (const [name, time] of [["auth.log.2", 200], ["auth.log.1", 300]] as const) {
    log.append(`${name}\n`);
    Deno.utimeSync(log.path, time, time);
    log.rotate(name);
  }
  log.append("d\n");
  assertEquals([lines(file), file.losses.gaps], [["auth.log.2", "auth.log.1", "d"], 0]);
});

Deno.test("LogFile says that there is a gap where a file between is packed, or its place not known", () => {
  for (
    const [own, between, read] of [
      ["auth.log.3", ["auth.log.2.gz", "auth.log.1"], ["auth.log.1", "d"]],
      ["auth.log.2", ["auth.log.1.xz"], ["d"]],
      ["auth.log-20261127", ["auth.log-20261128.zst"], ["d"]],
      // By the times of their last lines: the name of the first tells nothing.
      ["auth.log.kept", ["auth.log.old"], ["d"]],
    ] as const
  ) {
    for (const [way, goOn] of WAYS) {
      using log = new Log();
      log.append("a\n");
      using file = goOn(new LogFile(log.path));
      log.rotate(own);
      Deno.utimeSync(`${log.folder}/${own}`, 100, 100);
      for (const name of between) {
        log.append(`${name}\n`);
        log.rotate(name);
      }
      log.append("d\n");
      assertEquals([lines(file), file.losses.gaps], [[...read], 1], `${way} ${own}`);
    }
  }
});

Deno.test("LogFile knows no gap where a log was renamed once and is being packed", () => {
  using log = new Log();
  log.append("a\n");
  using file = new LogFile(log.path);
  Deno.writeTextFileSync(`${log.path}.2.gz`, "packed long ago");
  log.rotate();
  Deno.writeTextFileSync(`${log.path}.1.gz`, "half of it");
  log.append("b\n");
  assertEquals([lines(file), file.losses.gaps], [["b"], 0]);
});

Deno.test("LogFile says that there is a gap where the log is another one", () => {
  using log = new Log();
  log.append("");
  const first = new LogFile(log.path);
  log.append("first line\n");
  lines(first);
  const { position } = first;
  first[Symbol.dispose]();
  // The same inode, other bytes: cut in place, and longer than before.
  Deno.writeTextFileSync(log.path, "another line, longer\n");
  using cut = new LogFile(log.path, position);
  assertEquals([lines(cut), cut.losses.gaps], [["another line, longer"], 1]);
  Deno.removeSync(log.path);
  using gone = new LogFile(log.path, position);
  assertEquals([gone.isOpen, gone.losses.gaps], [false, 1]);
});

Deno.test("LogFile knows no gap where the log was empty at the first start", () => {
  for (const [way, goOn] of WAYS) {
    using log = new Log();
    log.append("");
    using file = goOn(new LogFile(log.path));
    log.append("a\n");
    assertEquals([lines(file), file.losses.gaps], [["a"], 0], way);
  }
});

Deno.test("LogFile knows a log again whose device has another number after a reboot", () => {
  using log = new Log();
  log.append("");
  const first = new LogFile(log.path);
  log.append("a\n");
  lines(first);
  const { position } = first;
  first[Symbol.dispose]();
  assert(position !== undefined);
  const file = position.file.replace(/^\d+/, (device) => `${Number(device) + 1}`);
  log.append("b\n");
  using second = new LogFile(log.path, { ...position, file });
  assertEquals([lines(second), second.losses.gaps], [["b"], 0]);
  using other = new LogFile(log.path, { ...position, file, head: "0".repeat(64) });
  assertEquals([lines(other), other.losses.gaps], [["a", "b"], 1]);
});

Deno.test("LogFile takes a folder for no log", () => {
  using log = new Log();
  using file = new LogFile(log.folder);
  assertEquals([file.isOpen, file.poll()], [false, undefined]);
});

Deno.test("LineBuffer drops a line of a megabyte, counts it, and keeps nothing of it", () => {
  const buffer = new LineBuffer();
  const chunk = new Uint8Array(64 * 1024).fill(97);
  for (let i = 0; i < 16; i++) assertEquals(buffer.take(chunk), []);
  assertEquals(buffer.take(new TextEncoder().encode("\nnext\n")), ["next"]);
  assertEquals(buffer.tooLong, 1);
  const longest = "b".repeat(LINE_BYTES_MAX);
  assertEquals(buffer.take(new TextEncoder().encode(`${longest}\n`)), [longest]);
});

Deno.test("LineBuffer gives the same lines however the bytes come", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat(400)), (bytes, cuts) => {
      const whole = new LineBuffer().take(bytes);
      const buffer = new LineBuffer();
      const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length]
        .toSorted((a, b) => a - b);
      let start = 0;
      const lines = ends.flatMap((end) => {
        const taken = buffer.take(bytes.slice(start, end));
        start = end;
        return taken;
      });
      assertEquals(lines, whole);
    }),
  );
  assert(new LineBuffer().take(new Uint8Array([0xFF, 10]))[0] === "\uFFFD");
});

Deno.test("LogFile takes no part of a line for a line where it skips, nor in the next run", () => {
  using log = new Log();
  log.append("");
  using first = new LogFile(log.path);
  // One line over all that is skipped: of zeros that take no room.
  Deno.truncateSync(log.path, BEHIND_BYTES_MAX + 2);
  assertEquals(first.poll(), []);
  const { position } = first;
  log.append("rest of it\nwhole\n");
  assertEquals([lines(first), first.tooLong], [["whole"], 0]);
  using second = new LogFile(log.path, position);
  assertEquals(lines(second), ["whole"]);
});
