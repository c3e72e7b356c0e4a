import { assert, assertEquals } from "@std/assert";
import { decodeRecord, decodeRecords, encodeRecord, SOURCES } from "../../common/record/mod.ts";
import { compileRules, type RuleSet } from "../../common/sigma/mod.ts";
import { type Alert, lossCause } from "../../common/wire/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { CONTEXT, KeptSink } from "./_pipeline_test_support.ts";
import { madeOfLog } from "./log_intake.ts";
import { Logs } from "./logs.ts";
import { Pipeline } from "./pipeline.ts";
import { RulesInForce } from "./rules_in_force.ts";

const RULES = compileRules([{
  path: "logs.yml",
  text: `
title: Login refused
name: refused
logsource: { product: linux, category: authentication }
detection: { s: { Action: auth_failure }, condition: s }
level: informational
---
title: Many refused logins
correlation:
  { type: event_count, rules: [refused], group-by: [SourceIp], timespan: 5m, condition: { gte: 3 } }
level: high
---
title: Odd error of sshd
logsource: { product: linux, service: sshd }
detection: { keywords: ["Corrupted MAC on input"], condition: keywords }
level: medium
---
title: sudo as root by number
logsource: { product: linux, service: sudo }
detection: { s: { USER|startswith: "#-" }, condition: s }
level: high
---
title: A secret in a command
logsource: { product: linux, category: authentication }
detection: { s: { Command|contains: "s3cr3t" }, condition: s }
level: low
---
title: Somebody is root
logsource: { product: linux, category: authentication }
detection: { s: { UserId: "0" }, condition: s }
level: low
---
title: sudo by its own name of who
logsource: { product: linux, service: sudo }
detection: { s: { user: ada, COMMAND: /bin/id }, condition: s }
level: low
---
title: Not what it says
logsource: { product: linux, category: authentication }
detection: { s: { LogWriter: other }, condition: s }
level: high
---
title: A shell
logsource: { product: linux, category: process_creation }
detection: { s: { Image|endswith: /bash }, condition: s }
`,
}]);

/** A pipeline that reads one log. */
class Host implements Disposable {
  readonly folder = Deno.makeTempDirSync();
  readonly log = `${this.folder}/auth.log`;
  readonly sink = new KeptSink();
  readonly alerts: Alert[] = [];
  readonly warnings: string[] = [];
  readonly pipeline: Pipeline;
  logs: Logs;

  private constructor(readonly engine: Engine, ruleSet: RuleSet) {
    Deno.writeTextFileSync(this.log, "");
    this.pipeline = new Pipeline({
      source: { poll: () => 0, stats: () => [] },
      engine,
      sink: this.sink,
      rules: new RulesInForce(engine, ruleSet),
      epoch: 3,
      context: () => ({ ...CONTEXT, userName: (uid) => uid === 1000 ? "ada" : undefined }),
      onAlert: (alert) => this.alerts.push(alert),
    });
    this.logs = this.open();
  }

  static async open(): Promise<Host> {
    assertEquals(RULES.rejected, []);
    return new Host(await Engine.create(), RULES);
  }

  open(): Logs {
    return new Logs({ files: [this.log] }, {
      engine: this.engine,
      pipeline: this.pipeline,
      state: `${this.folder}/logs.json`,
      userId: (name) => name === "ada" ? 1000 : undefined,
      wallOffsetNs: () => CONTEXT.wallOffsetNs,
      bootTimeNs: () => 1_000_000_000_000n,
      onWarning: (message) => this.warnings.push(message),
    });
  }

  write(...messages: readonly string[]): void {
    this.writeAt("2023-11-14T22:15:00Z", ...messages);
  }

  writeAt(time: string, ...messages: readonly string[]): void {
    const lines = messages.map((message) => `${time} h ${message}\n`);
    Deno.writeTextFileSync(this.log, lines.join(""), { append: true });
  }

  /** Reads what was written: an inlet of its own looks at once. */
  read(): void {
    this.logs[Symbol.dispose]();
    this.logs = this.open();
    this.logs.step();
  }

  titles(): string[] {
    return this.alerts.map(({ rule }) => rule.title);
  }

  [Symbol.dispose](): void {
    this.logs[Symbol.dispose]();
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** A server of OpenSSH at 9, and another program at 10. */
function runPrograms(engine: Engine): void {
  for (const [pid, image] of [[9, "/usr/sbin/sshd"], [10, "/usr/bin/logger"]] as const) {
    const bytes = encodeRecord("exec", {
      header: { pid, tid: pid, start_time_ns: 5n, time_ns: 5n, sequence: 1, role: 5 },
      slots: { image, argv: `${image}\0` },
    });
    engine.batch.set(bytes);
    engine.scan(bytes.length);
  }
}

function kinds(host: Host): (string | undefined)[] {
  return host.sink.batches.flatMap((batch) =>
    [...decodeRecords(batch.records)].map(({ kind }) => kind)
  );
}

Deno.test("Logs makes records of lines, and a correlation of failures from one address", async () => {
  using host = await Host.open();
  host.logs.save();
  const failed = "sshd[9]: Failed password for ada from 192.0.2.9 port 5 ssh2";
  host.write(failed, failed, "sshd[9]: Failed password for ada from 192.0.2.8 port 5 ssh2");
  host.read();
  assertEquals(host.titles(), []);
  host.write(failed);
  host.read();
  assertEquals(host.titles(), ["Many refused logins"]);
  assertEquals(kinds(host), Array(4).fill("auth_failure"));
  const [alert] = host.alerts;
  assertEquals(alert?.correlation?.group, { SourceIp: "192.0.2.9" });
  assertEquals([alert?.user, alert?.source], [{ id: "1000", name: "ada" }, {
    ip: "192.0.2.9",
    port: 5,
  }]);
  assertEquals(alert?.event.outcome, "failure");
});

Deno.test("Logs has failures from before the boot in no correlation: nobody knows how far apart", async () => {
  using host = await Host.open();
  host.logs.save();
  const failed = "sshd[9]: Failed password for ada from 192.0.2.9 port 5 ssh2";
  for (const day of [10, 11, 12, 13]) host.writeAt(`2023-11-${day}T08:00:00Z`, failed);
  host.write(failed, failed);
  host.read();
  assertEquals([host.titles(), kinds(host).length], [[], 6]);
  host.write(failed);
  host.read();
  assertEquals(host.titles(), ["Many refused logins"]);
});

Deno.test("Logs keeps a line that a rule is about, and passes by the others", async () => {
  using host = await Host.open();
  host.logs.save();
  host.write("sshd[9]: Corrupted MAC on input. [preauth]", "sshd[9]: Server listening", "app: x");
  host.write("other[9]: Corrupted MAC on input.");
  host.write("sudo: ada : TTY=pts/0 ; PWD=/ ; USER=#-1 ; COMMAND=/bin/sh");
  host.read();
  assertEquals(host.titles(), ["Odd error of sshd", "sudo as root by number"]);
  assertEquals(kinds(host), ["log_line", "privilege"]);
  assertEquals(host.alerts[0]?.message, "Corrupted MAC on input. [preauth]");
});

Deno.test("Logs lets rules see a value before it is masked, and keeps it masked", async () => {
  using host = await Host.open();
  host.logs.save();
  host.write("sudo: ada : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/x --password=s3cr3tvalue77");
  host.read();
  assertEquals(host.titles(), ["A secret in a command"]);
  const kept = new TextDecoder("latin1").decode(host.sink.batches[0]?.records);
  assert(!kept.includes("s3cr3tvalue77") && kept.includes("--password=***"), kept);
  assert(!JSON.stringify(host.alerts).includes("s3cr3tvalue77"));
});

Deno.test("Logs takes process and program of a text file's line for what its writer says", async () => {
  using host = await Host.open();
  runPrograms(host.engine);
  host.logs.save();
  const accepted = "Accepted password for ada from 192.0.2.9 port 5 ssh2";
  host.write(`sshd[9]: ${accepted}`, `sshd[10]: ${accepted}`, `sshd[11]: ${accepted}`);
  host.read();
  assertEquals(host.titles(), ["Not what it says"]);
  const { process } = host.alerts[0] ?? {};
  assertEquals([process?.pid, process?.executable, process?.entity_id], [10, undefined, undefined]);
  const records = host.sink.batches.flatMap((batch) => [...decodeRecords(batch.records)]);
  assertEquals(records.map((record) => record.number("login", "writer")), [0, 2, 0]);
  assertEquals(
    records.map(({ pid, startTimeNs, role, source }) => [pid, startTimeNs, role, source]),
    [9, 10, 11].map((pid) => [pid, 0n, 0, SOURCES.logs]),
  );
  assertEquals(new Set(records.map(({ sequence }) => sequence)).size, 3);
});

Deno.test("madeOfLog() joins a line to its process where the log itself knows it", async () => {
  const engine = await Engine.create();
  runPrograms(engine);
  const made = madeOfLog({
    origin: "journal",
    writer: "proven",
    program: "sshd",
    pid: 9,
    message: "x",
    told: { kind: "login" },
    fields: {},
  }, { engine, sequence: 1, userId: () => undefined, wallOffsetNs: 0n, nowNs: 1_000n });
  const record = decodeRecord(made.bytes);
  assertEquals([record.pid, record.startTimeNs, record.role], [9, 5n, 5]);
  assertEquals(record.number("login", "writer"), 1);
});

Deno.test("Logs makes nobody root whom the host does not know, and reads sudo's own fields", async () => {
  using host = await Host.open();
  host.logs.save();
  host.write("sshd[9]: Invalid user oracle from 192.0.2.9 port 5");
  host.write("sudo: ada : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/id");
  host.read();
  assertEquals(host.titles(), ["sudo by its own name of who"]);
});

Deno.test("Logs tells once of a gap that no line follows, with how the agent does", async () => {
  using host = await Host.open();
  host.write("sshd[9]: Corrupted MAC on input. [preauth]");
  host.logs.save();
  host.read();
  Deno.truncateSync(host.log, 0);
  host.read();
  host.logs.step();
  host.pipeline.tellHealth();
  host.pipeline.tellHealth();
  const told = host.sink.healths.map(({ losses }) =>
    losses.map(({ cause, count, source, certain }) => [lossCause(cause), count, source, certain])
  );
  assertEquals(told, [[["log_gap", 1, SOURCES.logs, false]], []]);
});

Deno.test("Logs says once that its state cannot be written, and goes on", async () => {
  using host = await Host.open();
  Deno.mkdirSync(`${host.folder}/logs.json.new`);
  host.logs.save();
  host.logs.save();
  assertEquals(host.warnings.length, 1);
});

Deno.test("Logs puts down how far it read only where that has changed", async () => {
  using host = await Host.open();
  host.logs.save();
  const written = (): number | null => Deno.statSync(`${host.folder}/logs.json`).ino;
  const first = written();
  host.logs.save();
  assertEquals(written(), first);
  host.write("sshd[9]: Corrupted MAC on input. [preauth]");
  host.read();
  // Replaced as a whole: another file.
  assert(written() !== first);
});
