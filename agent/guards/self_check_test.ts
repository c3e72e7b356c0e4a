import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Weakness } from "../enforce/weakness.ts";
import type { Unfaithful } from "../sensors/control.ts";
import { OwnFiles } from "./own_files.ts";
import { RunFile } from "./run_file.ts";
import {
  CLOCK_SLEW_MAX,
  CLOCK_SPAN_MS,
  CLOCK_STEP_MS,
  PAUSE_MS_MAX,
  SelfCheck,
  VERIFY_INTERVAL_MS,
  WATCH_INTERVAL_MS,
} from "./self_check.ts";
import type { Tamper } from "./tamper.ts";

/** A host whose clocks and faults the test sets. */
class Host {
  tracer = 0;
  oom: number | undefined = 0;
  wrong: Unfaithful[] = [];
  /** What the next calls find, one after the other. */
  calls: Unfaithful[][] = [];
  /** What stays wrong. */
  off: Unfaithful[] = [];
  policies = 0;
  weak: Weakness[] = [];
  steadyMs = 50_000;
  /** Time that the host slept. */
  sleptMs = 0;
  wallOffsetMs = 1_700_000_000_000;
  readonly check = new SelfCheck({
    tracer: () => this.tracer,
    oomScoreAdj: () => this.oom,
    sensor: () => this.calls.shift() ?? [...this.wrong.splice(0), ...this.off],
    restorePolicy: () => void this.policies++,
    weaknesses: () => this.weak,
    files: { check: (): readonly Tamper[] => [] },
    wallMs: () => this.bootMs + this.wallOffsetMs,
    bootMs: () => this.bootMs,
    steadyMs: () => this.steadyMs,
  });

  get bootMs(): number {
    return this.steadyMs + this.sleptMs;
  }

  after(ms: number): readonly Tamper[] {
    this.steadyMs += ms;
    return this.check.step();
  }

  names(ms: number = WATCH_INTERVAL_MS): string[] {
    return this.after(ms).map(({ what }) => what);
  }
}

Deno.test("SelfCheck finds nothing where nothing is wrong, also after the host slept", () => {
  const host = new Host();
  assertEquals(host.names(0), []);
  host.sleptMs += 8 * 3_600_000;
  assertEquals([host.names(), host.names(10)], [[], []]);
});

Deno.test("SelfCheck tells of a debugger once, and of the next one again", () => {
  const host = new Host();
  host.tracer = 812;
  const [found] = host.after(0);
  assertEquals([found?.what, found?.pid], ["traced", 812]);
  assertEquals(host.names(), []);
  host.tracer = 813;
  assertEquals(host.names(), ["traced"]);
  host.tracer = 0;
  assertEquals(host.names(), []);
  host.tracer = 813;
  assertEquals(host.names(), ["traced"]);
});

Deno.test("SelfCheck tells that it stood still", () => {
  const host = new Host();
  host.check.step();
  assertEquals(host.names(PAUSE_MS_MAX - 1), []);
  const [found] = host.after(PAUSE_MS_MAX);
  assertEquals(found?.what, "stopped");
  assertStringIncludes(found?.detail ?? "", "10.0 s");
});

Deno.test("SelfCheck tells that the wall clock was set, at once", () => {
  const host = new Host();
  host.check.step();
  host.wallOffsetMs -= 3_600_000;
  const [found] = host.after(WATCH_INTERVAL_MS);
  assertEquals([found?.what, found?.detail], ["clock_moved", "it was set back by 3600.0 s"]);
  assertEquals(host.names(), []);
});

Deno.test("SelfCheck sums small steps of the wall clock up, and not what is put right slowly", () => {
  const host = new Host();
  host.check.step();
  host.wallOffsetMs += CLOCK_STEP_MS - 1;
  assertEquals(host.names(), []);
  host.wallOffsetMs += CLOCK_STEP_MS - 1;
  const [found] = host.after(WATCH_INTERVAL_MS);
  assertEquals(
    [found?.what, found?.detail],
    ["clock_moved", "it was set ahead by 4.0 s, in steps within 2 s"],
  );
  // As fast as the kernel slews at most, for three of the spans; and the host sleeps meanwhile.
  for (let bootMs = 0; bootMs < 3 * CLOCK_SPAN_MS; bootMs += 60_000) {
    host.sleptMs += 59_000;
    host.wallOffsetMs -= 60_000 * CLOCK_SLEW_MAX;
    assertEquals(host.names(), []);
  }
  // Three times as fast it is told, within one.
  const told: string[] = [];
  for (let bootMs = 0; bootMs < 2 * CLOCK_SPAN_MS; bootMs += 60_000) {
    host.sleptMs += 59_000;
    host.wallOffsetMs -= 60_000 * 3 * CLOCK_SLEW_MAX;
    told.push(...host.names());
  }
  assertEquals(new Set(told), new Set(["clock_moved"]));
});

Deno.test("SelfCheck tells that the agent would end sooner, and not the other way", () => {
  const host = new Host();
  host.check.step();
  host.oom = 1000;
  assertEquals(host.names(), ["oom_exposed"]);
  host.oom = -500;
  assertEquals(host.names(), []);
  host.oom = undefined;
  assertEquals(host.names(), []);
});

Deno.test("SelfCheck gives the policy again for what the sensor could not put right itself", () => {
  const host = new Host();
  host.check.step();
  host.wrong = [{ what: "program", name: "on_connect4", restored: true }];
  assertEquals(
    host.after(VERIFY_INTERVAL_MS).map(({ what, object, restored }) => [
      what,
      object,
      restored,
    ]),
    [["detached", "program on_connect4", true]],
  );
  assertEquals(host.policies, 0);
  host.wrong = [{ what: "map", name: "marks", restored: false }];
  assertEquals(host.after(VERIFY_INTERVAL_MS).map(({ what, restored }) => [what, restored]), [
    ["map_changed", true],
  ]);
  assertEquals(host.policies, 1);
  host.wrong = [{ what: "guardian", name: "immune-guardian", restored: true }];
  assertEquals(host.after(VERIFY_INTERVAL_MS).map(({ what, object }) => [what, object]), [
    ["killed", "guardian immune-guardian"],
  ]);
  assertEquals(host.policies, 1);
  host.wrong = [{ what: "pin", name: "refuse_connect4", restored: false }];
  assertEquals(host.after(VERIFY_INTERVAL_MS).map(({ what, object }) => [what, object]), [
    ["file_changed", "pin refuse_connect4"],
  ]);
  assertEquals(host.policies, 1);
});

Deno.test("SelfCheck tells once that no hasher is left, and again after one was", () => {
  const host = new Host();
  host.names(0);
  const off: Unfaithful = { what: "hasher", name: "immune-hasher", restored: false };
  host.off = [off];
  assertEquals(
    host.after(VERIFY_INTERVAL_MS).map(({ what, object, restored }) => [what, object, restored]),
    [["killed", "hasher immune-hasher", false]],
  );
  assertEquals(host.names(VERIFY_INTERVAL_MS), []);
  host.off = [];
  assertEquals(host.names(VERIFY_INTERVAL_MS), []);
  host.off = [off];
  assertEquals(host.names(VERIFY_INTERVAL_MS), ["killed"]);
  assertEquals(host.policies, 0);
});

Deno.test("SelfCheck tells once of what cannot be put right, and again when it begins again", () => {
  const host = new Host();
  host.check.step();
  const broken = { what: "program", name: "on_device", restored: false } as const;
  const look = (...off: Unfaithful[]): unknown[] => {
    host.off = off;
    return host.after(VERIFY_INTERVAL_MS).map(({ what, restored }) => [what, restored]);
  };
  assertEquals([look(broken), look(broken), look(broken)], [[["detached", false]], [], []]);
  assertEquals(host.policies, 3);
  assertEquals(look({ ...broken, restored: true }), []);
  assertEquals(look({ ...broken, restored: true }), [["detached", true]]);
  assertEquals([look(), look(broken), look(broken)], [[], [["detached", false]], []]);
});

Deno.test("SelfCheck knows a program from its pin, and what a second look put right", () => {
  const host = new Host();
  host.check.step();
  const program: Unfaithful = { what: "program", name: "refuse_connect4", restored: false };
  const pin: Unfaithful = { ...program, what: "pin" };
  const map: Unfaithful = { what: "map", name: "enforced", restored: false };
  host.calls = [[program, pin, map], [pin, { ...map, restored: true }]];
  assertEquals(
    host.after(VERIFY_INTERVAL_MS).map(({ object, restored }) => [object, restored]),
    [["program refuse_connect4", true], ["pin refuse_connect4", false], ["map enforced", true]],
  );
});

Deno.test("OwnFiles tells what was changed, replaced, removed and made, each once", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = (name: string): string => `${folder}/${name}`;
    for (const name of ["changed", "replaced", "removed", "touched", "back"]) {
      Deno.writeTextFileSync(path(name), "as it was");
    }
    const names = ["changed", "replaced", "removed", "touched", "made", "back"];
    const files = new OwnFiles(names.map(path));
    assertEquals(files.check(), []);
    Deno.writeTextFileSync(path("changed"), "as it IS");
    Deno.writeTextFileSync(path("fresh"), "as it was not");
    Deno.renameSync(path("fresh"), path("replaced"));
    Deno.removeSync(path("removed"));
    Deno.utimeSync(path("touched"), 1, 1);
    Deno.writeTextFileSync(path("made"), "");
    changeUnseen(path("back"), "as it wa$");
    assertEquals(
      files.check().map(({ object }) => object),
      [
        "changed",
        "replaced",
        "removed",
        "made",
        "back",
      ].map(path),
    );
    assertEquals(files.check(), []);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

/** Edits a file in place, of the same length, and puts its time back; not in the same tick. */
function changeUnseen(path: string, text: string): void {
  const before = Deno.statSync(path);
  do {
    Deno.writeTextFileSync(path, text);
    Deno.utimeSync(path, before.atime ?? 0, before.mtime ?? 0);
  } while (Deno.statSync(path).ctime?.getTime() === before.ctime?.getTime());
  const { ino, size, mtime } = Deno.statSync(path);
  assertEquals([ino, size, mtime], [before.ino, before.size, before.mtime]);
}

Deno.test("RunFile tells that the last run was killed, in this boot alone", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const at = (bootMs: number, bootId = "ab"): RunFile =>
      new RunFile(`${folder}/run.json`, { bootId, pid: 77, bootMs: () => bootMs });
    assertEquals(at(0).last(), []);
    at(1000).alive();
    const [killed] = at(61_000).last();
    assertEquals([killed?.what, killed?.object], ["killed", "process 77"]);
    assertStringIncludes(killed?.detail ?? "", "60 s ago");
    assertEquals(at(61_000, "cd").last(), []);
    at(2000).end();
    assertEquals(at(61_000).last(), []);
    Deno.writeTextFileSync(`${folder}/run.json`, "{");
    assertEquals(at(0).last(), []);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("SelfCheck tells a weakness of enforcement when it begins, and when it begins again", () => {
  const host = new Host();
  host.weak = [{ object: "tree /root/.ssh/", detail: "it has too many directories" }];
  const expected: readonly Tamper[] = [{
    what: "not_enforced",
    object: "tree /root/.ssh/",
    detail: "it has too many directories",
  }];
  assertEquals(host.after(VERIFY_INTERVAL_MS), expected);
  assertEquals(host.names(VERIFY_INTERVAL_MS), []);
  host.weak = [];
  assertEquals(host.names(VERIFY_INTERVAL_MS), []);
  host.weak = [{ object: "tree /root/.ssh/", detail: "it has too many directories" }];
  assertEquals(host.names(VERIFY_INTERVAL_MS), ["not_enforced"]);
});
