import { assert, assertEquals } from "@std/assert";
import { LogInlet, LOOK_INTERVAL_MS, TIMES_MAX, TURN_MS } from "./inlet.ts";
import { LINE_BYTES_MAX, type LogEvent } from "./log_event.ts";
import { readLogsFile, writeLogsFile } from "./logs_file.ts";

const TIME = "2026-11-28T03:41:04Z h";

/** Logs in a folder, and an inlet whose clock the test moves. */
class Logs implements Disposable {
  readonly folder = Deno.makeTempDirSync();
  readonly auth = `${this.folder}/auth.log`;
  readonly audit = `${this.folder}/audit.log`;
  nowMs = 0;
  /** What the clock moves by each time that it is looked at. */
  stepMs = 0;

  constructor() {
    for (const path of [this.auth, this.audit]) Deno.writeTextFileSync(path, "");
  }

  inlet(positions?: LogInlet["positions"]): LogInlet {
    return new LogInlet({
      files: [this.auth, this.audit],
      positions,
      nowMs: () => Date.UTC(2026, 10, 28, 12),
      clockMs: () => this.nowMs += this.stepMs,
    });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

function kinds(events: readonly LogEvent[]): string[] {
  return events.map(({ told }) => told.kind);
}

Deno.test("LogInlet reads text logs and auditd's, and counts what it left out", () => {
  using logs = new Logs();
  using inlet = logs.inlet();
  const lines = [
    `${TIME} sshd[5]: Accepted password for ada from 192.0.2.9 port 5 ssh2`,
    `${TIME} sshd[5]: pam_unix(sshd:session): session opened for user ada(uid=1000) by (uid=0)`,
    "no line of a log",
    `${TIME} sshd[5]: ${"x".repeat(LINE_BYTES_MAX)}`,
    `${TIME} sudo: ada : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/id`,
  ];
  Deno.writeTextFileSync(logs.auth, lines.join("\n") + "\n", { append: true });
  Deno.writeTextFileSync(
    logs.audit,
    `type=USER_LOGIN msg=audit(1.000:1): pid=1 msg='acct="ada" addr=192.0.2.9 res=failed'\n`,
    { append: true },
  );
  assertEquals(kinds(inlet.poll()), ["login", "privilege", "auth_failure"]);
  const { lines: read, unreadable, repeated } = inlet.counts;
  assertEquals([read, unreadable, repeated], [5, 1, 1]);
  assertEquals(inlet.takeLosses(), [{ cause: "log_too_long", count: 1 }]);
  assertEquals(inlet.takeLosses(), []);
});

Deno.test("LogInlet reads a line that rsyslog folded as often as it came, up to a bound", () => {
  using logs = new Logs();
  using inlet = logs.inlet();
  const failed = "Failed password for ada from 192.0.2.9 port 5 ssh2";
  const folded = (times: number): string =>
    `${TIME} sshd[5]: message repeated ${times} times: [ ${failed}]\n`;
  Deno.writeTextFileSync(logs.auth, folded(3) + folded(0) + folded(999_999), { append: true });
  const events = inlet.poll();
  assertEquals(kinds(events), Array(3 + TIMES_MAX).fill("auth_failure"));
  assertEquals(events[0]?.told.from, "192.0.2.9");
  assertEquals([inlet.counts.lines, inlet.counts.repeated], [3, 999_999 - TIMES_MAX]);
});

Deno.test("LogInlet looks at logs that stand still only now and then", () => {
  using logs = new Logs();
  using inlet = logs.inlet();
  assertEquals(inlet.poll(), []);
  Deno.writeTextFileSync(logs.auth, `${TIME} sshd: x\n`, { append: true });
  logs.nowMs += LOOK_INTERVAL_MS - 1;
  assertEquals(inlet.poll(), []);
  logs.nowMs += 1;
  assertEquals(kinds(inlet.poll()), ["log_line"]);
});

Deno.test("LogInlet reads a flood in turns, each log in its own, and goes on at once", () => {
  using logs = new Logs();
  using inlet = logs.inlet();
  const line = `${TIME} app: ${"y".repeat(1000)}\n`;
  Deno.writeTextFileSync(logs.auth, line.repeat(500), { append: true });
  Deno.writeTextFileSync(logs.audit, "type=LOGIN msg=audit(1.000:1): pid=1\n", { append: true });
  logs.stepMs = TURN_MS;
  const turns = [inlet.poll(), inlet.poll(), inlet.poll()];
  assert(turns.every((events) => events.length > 0 && events.length < 500));
  // The second turn was the other log's.
  assertEquals(turns[1]?.[0]?.origin, "audit");
  const rest: LogEvent[] = [];
  for (let events = inlet.poll(); events.length > 0; events = inlet.poll()) rest.push(...events);
  assertEquals(inlet.counts.lines, 501);
});

Deno.test("LogInlet goes on behind what was read, through its state file", () => {
  using logs = new Logs();
  const state = `${logs.folder}/logs.json`;
  const line = (n: number): string => `${TIME} sshd[${n}]: x\n`;
  const first = logs.inlet();
  Deno.writeTextFileSync(logs.auth, line(1), { append: true });
  assertEquals(first.poll().map(({ pid }) => pid), [1]);
  writeLogsFile(state, {
    positions: first.positions,
    counts: first.counts,
    logs: first.states,
  });
  first[Symbol.dispose]();
  Deno.writeTextFileSync(logs.auth, line(2), { append: true });
  using second = logs.inlet(readLogsFile(state)?.positions);
  assertEquals(second.poll().map(({ pid }) => pid), [2]);
  const active = { "/var/log/journal": ["0a"] };
  const { counts, states } = first;
  writeLogsFile(state, { positions: { ...first.positions, active }, counts, logs: states });
  assertEquals(readLogsFile(state)?.positions.active, active);
  Deno.writeTextFileSync(state, '{"version":1,"positions":');
  assertEquals(readLogsFile(state), undefined);
});
