import { assert, assertEquals } from "@std/assert";
import { LogInlet } from "./inlet.ts";
import { FOLDER_INTERVAL_MS, JournalFolder } from "./journal.ts";

/** Writes files of a journal by journald's own code (Debian: systemd-journal-remote). */
const WRITER = "/lib/systemd/systemd-journal-remote";
const ignore = !isThere(WRITER);

/** Place of the last object's place in a file's header. */
const TAIL_OBJECT_AT = 136;
/** Place of a file's state, and of its id. */
const STATE_AT = 16;
const ID_AT = 24;
/** Place of the header's own size. */
const HEADER_SIZE_AT = 88;

interface Written {
  readonly message: string;
  readonly program?: string;
  readonly image?: string;
  readonly user?: number;
}

let clock = 0;

/** Entries as journald exports them (systemd.io/JOURNAL_EXPORT_FORMATS). */
function exported(entries: readonly Written[]): string {
  return entries.map(({ message, program = "sshd", image = "/usr/sbin/sshd", user = 0 }) => {
    const time = 1_700_000_000_000_000 + ++clock * 1000;
    return [
      `__REALTIME_TIMESTAMP=${time}`,
      `__MONOTONIC_TIMESTAMP=${clock * 1000}`,
      "_BOOT_ID=0123456789abcdef0123456789abcdef",
      `MESSAGE=${message}`,
      `SYSLOG_IDENTIFIER=${program}`,
      ...(image === "" ? [] : [`_EXE=${image}`]),
      "_PID=812",
      `_UID=${user}`,
      "_AUDIT_SESSION=3",
    ].join("\n") + "\n\n";
  }).join("");
}

/** A folder of a journal with a machine's folder in it. */
class Journal implements Disposable {
  readonly folder = Deno.makeTempDirSync();
  readonly machine = `${this.folder}/0123456789abcdef0123456789abcdef`;

  constructor() {
    Deno.mkdirSync(this.machine);
  }

  async write(
    entries: readonly Written[],
    { name = "system.journal", environment = {} }: {
      readonly name?: string;
      readonly environment?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<void> {
    const source = `${this.folder}/export`;
    await Deno.writeTextFile(source, exported(entries));
    const { code, stderr } = await new Deno.Command(WRITER, {
      args: ["--split-mode=none", `--output=${this.machine}/${name}`, source],
      env: { ...environment },
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** Where the objects of a file lie, one behind the other from its header on. */
function objectsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer);
  const last = Number(view.getBigUint64(TAIL_OBJECT_AT, true));
  const found: number[] = [];
  for (let at = Number(view.getBigUint64(HEADER_SIZE_AT, true)); at <= last;) {
    found.push(at);
    at += Math.ceil(Number(view.getBigUint64(at + 8, true)) / 8) * 8;
  }
  return found;
}

/** Renames a file that nothing more will come into, as journald does, with the mark in its header. */
function archiveFile(path: string, archive: string): void {
  using file = Deno.openSync(path, { write: true });
  file.seekSync(STATE_AT, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array([2]));
  Deno.renameSync(path, archive);
}

/** The same file as another one: with another id. */
function copyAs(path: string, { copy, id }: { copy: string; id: number }): void {
  Deno.copyFileSync(path, copy);
  using file = Deno.openSync(copy, { write: true });
  file.seekSync(ID_AT, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array(16).fill(id));
}

function messages(folder: JournalFolder, nowMs: number): string[] {
  const lines: string[] = [];
  for (let line = folder.read(nowMs); line !== undefined; line = folder.read(nowMs)) {
    lines.push(line.message);
  }
  return lines;
}

function numbered(from: number, to: number): Written[] {
  return Array.from({ length: to - from }, (_, i) => ({ message: `message ${from + i}` }));
}

for (
  const [form, environment] of [
    ["compact", { SYSTEMD_JOURNAL_COMPACT: "1" }],
    ["whole", { SYSTEMD_JOURNAL_COMPACT: "0", SYSTEMD_JOURNAL_KEYED_HASH: "0" }],
  ] as const
) {
  Deno.test({
    name: `journal: entries in their order, long ones too, of a file in ${form} form`,
    ignore,
    fn: async () => {
      using journal = new Journal();
      const long = "Accepted ".repeat(500);
      await journal.write([...numbered(0, 300), { message: long }], { environment });
      using folder = new JournalFolder(journal.folder, { positions: {}, nowMs: 0 });
      const first = folder.read(0);
      assertEquals(first, {
        origin: "journal",
        timeMs: first?.timeMs,
        program: "sshd",
        pid: 812,
        message: "message 0",
        writerId: 0,
        writer: "proven",
        session: "3",
      });
      assert((first?.timeMs ?? 0) > 1_700_000_000_000);
      const rest = messages(folder, 0);
      assertEquals(rest, [...numbered(1, 300).map(({ message }) => message), long]);
      assertEquals(folder.damaged, 0);
    },
  });
}

Deno.test({
  name: "journal: begun at its end, followed as it grows, and gone on with behind what was read",
  ignore,
  fn: async () => {
    using journal = new Journal();
    await journal.write(numbered(0, 5));
    const first = new JournalFolder(journal.folder, { nowMs: 0 });
    assertEquals(messages(first, 0), []);
    await journal.write(numbered(5, 8));
    assertEquals(messages(first, FOLDER_INTERVAL_MS), ["message 5", "message 6", "message 7"]);
    const { positions } = first;
    first[Symbol.dispose]();
    await journal.write(numbered(8, 9));
    using second = new JournalFolder(journal.folder, { positions, nowMs: 0 });
    assertEquals(messages(second, 0), ["message 8"]);
  },
});

Deno.test({
  name: "journal: a file that journald has gone on from is read to its end, then the next one",
  ignore,
  fn: async () => {
    using journal = new Journal();
    await journal.write(numbered(0, 3));
    const first = new JournalFolder(journal.folder, { nowMs: 0 });
    const { positions } = first;
    first[Symbol.dispose]();
    await journal.write(numbered(3, 5));
    Deno.renameSync(`${journal.machine}/system.journal`, `${journal.machine}/system@0a-1.journal`);
    await journal.write(numbered(5, 7));
    using second = new JournalFolder(journal.folder, { positions, nowMs: 0 });
    assertEquals(messages(second, 0).toSorted(), numbered(3, 7).map(({ message }) => message));
  },
});

/** As journald names a file that it finds not closed: when that was, then a random part. */
const ASIDE = "system@00060b1c2d3e4f50-fedcba9876543210.journal~";

Deno.test({
  name: "journal: a file that was set aside as not closed is read to its end, running or not",
  ignore,
  fn: async () => {
    for (const isRunning of [true, false]) {
      using journal = new Journal();
      const path = `${journal.machine}/system.journal`;
      await journal.write(numbered(0, 3));
      const first = new JournalFolder(journal.folder, { nowMs: 0 });
      const { positions, active } = first;
      await journal.write(numbered(3, 5));
      Deno.renameSync(path, `${journal.machine}/${ASIDE}`);
      await journal.write(numbered(5, 7));
      if (!isRunning) first[Symbol.dispose]();
      const options = { positions, active, nowMs: 0 };
      using folder = isRunning ? first : new JournalFolder(journal.folder, options);
      const nowMs = FOLDER_INTERVAL_MS;
      assertEquals(messages(folder, nowMs), numbered(3, 7).map(({ message }) => message));
      // Nothing more comes into it: it is no longer open, and not read again.
      assertEquals([folder.active.length, Object.keys(folder.positions).length], [1, 2]);
      assertEquals([messages(folder, 2 * nowMs), folder.damaged], [[], 0]);
    }
  },
});

Deno.test({
  name: "journal: a file that went before it was read to its end is a gap, another one is none",
  ignore,
  fn: async () => {
    for (const isArchived of [true, false]) {
      using journal = new Journal();
      const path = `${journal.machine}/system.journal`;
      await journal.write(numbered(0, 3));
      const first = new JournalFolder(journal.folder, { nowMs: 0 });
      const archive = `${journal.machine}/system@0a-1.journal`;
      if (isArchived) archiveFile(path, archive);
      assertEquals(messages(first, FOLDER_INTERVAL_MS), []);
      const { positions, active } = first;
      first[Symbol.dispose]();
      Deno.removeSync(isArchived ? archive : path);
      await journal.write(numbered(5, 6));
      using second = new JournalFolder(journal.folder, { positions, active, nowMs: 0 });
      assertEquals(messages(second, 0), ["message 5"]);
      assertEquals([second.damaged, second.active.length], [isArchived ? 0 : 1, 1]);
      assertEquals([messages(second, FOLDER_INTERVAL_MS), second.damaged], [[], +!isArchived]);
    }
  },
});

Deno.test({
  name: "journal: however many files went that nobody archived, the next one is read",
  ignore,
  fn: async () => {
    using journal = new Journal();
    const path = `${journal.machine}/system.journal`;
    await journal.write([{ message: "x" }]);
    const template = `${journal.folder}/template`;
    Deno.renameSync(path, template);
    using folder = new JournalFolder(journal.folder, { positions: {}, nowMs: 0 });
    for (let id = 1; id <= 100; id++) {
      copyAs(template, { copy: path, id });
      assertEquals(messages(folder, id * FOLDER_INTERVAL_MS), ["x"], `${id}`);
    }
    // The one that went last may be on its way to another name.
    assertEquals([folder.damaged, folder.active.length], [0, 2]);
  },
});

Deno.test({
  name: "journal: files over the bound are read later; one that went meanwhile is a gap",
  ignore,
  fn: async () => {
    using journal = new Journal();
    await journal.write([{ message: "x" }]);
    const template = `${journal.folder}/template`;
    Deno.renameSync(`${journal.machine}/system.journal`, template);
    const name = (id: number): string =>
      `${journal.machine}/system@0a-1-${id.toString(16).padStart(16, "0")}.journal`;
    const copies = (from: number, to: number): void => {
      for (let id = from; id < to; id++) copyAs(template, { copy: name(id), id });
    };
    copies(0, 64);
    using folder = new JournalFolder(journal.folder, { positions: {}, nowMs: 0 });
    for (let id = 0; id < 64; id++) Deno.removeSync(name(id));
    copies(64, 66);
    // All that are open are unread: there is no room for others yet.
    assertEquals(messages(folder, FOLDER_INTERVAL_MS).length, 64);
    Deno.removeSync(name(65));
    const later = [2, 3, 4].flatMap((looks) => messages(folder, looks * FOLDER_INTERVAL_MS));
    assertEquals([later, folder.damaged], [["x"], 1]);
  },
});

Deno.test({
  name: "journal: an inlet leaves syslog's own files where journald keeps a journal",
  ignore,
  fn: async () => {
    using journal = new Journal();
    await journal.write([{ message: "x" }]);
    const log = `${journal.folder}/auth.log`;
    Deno.writeTextFileSync(log, "");
    const options = { files: [log], unlessJournal: [log], nowMs: () => 0, clockMs: () => 1000 };
    using inlet = new LogInlet({ ...options, journals: [journal.folder] });
    assertEquals(inlet.states.map(({ path }) => path), [journal.folder]);
    using other = new LogInlet({ ...options, journals: [`${journal.folder}/none`] });
    assertEquals(other.states.map(({ path, open }) => [path, open]), [
      [log, true],
      [`${journal.folder}/none`, false],
    ]);
  },
});

Deno.test({
  name:
    "journal: whoever names a program that he is not is named other, and nobody but root is believed",
  ignore,
  fn: async () => {
    using journal = new Journal();
    await journal.write([
      { message: "a", image: "/usr/bin/logger" },
      { message: "b", image: "/home/eve/sshd" },
      { message: "c", program: "app", image: "/opt/app" },
      { message: "d", user: 65534 },
    ]);
    using folder = new JournalFolder(journal.folder, { positions: {}, nowMs: 0 });
    const writers = Array.from({ length: 4 }, () => folder.read(0)?.writer);
    assertEquals(writers, ["other", "other", "unknown", "unknown"]);
  },
});

Deno.test({
  name: "journal: nobody but root tells of a login, though his process has ended",
  ignore,
  fn: async () => {
    using journal = new Journal();
    const message = "Accepted password for root from 192.0.2.9 port 5 ssh2";
    const session =
      "pam_unix(gdm-password:session): session opened for user ada(uid=1000) by (uid=0)";
    await journal.write([
      { message, user: 65534, image: "" },
      { message, user: 65534 },
      { message },
      { message: "Disconnected from user ada", user: 1000 },
      { message: "(to root) ada on pts/0", program: "su", image: "/usr/bin/su", user: 1000 },
      { message: session, program: "gdm", image: "/usr/libexec/gdm", user: 1000 },
    ]);
    const positions = { files: {}, journals: {} };
    using inlet = new LogInlet({
      files: [],
      journals: [journal.folder],
      positions,
      nowMs: () => 0,
    });
    const writers: (string | undefined)[] = [];
    while (writers.length < 6) writers.push(...inlet.poll().map(({ writer }) => writer));
    assertEquals(writers, ["other", "other", "proven", "unknown", "unknown", "other"]);
  },
});

Deno.test({
  name: "journal: the file that is written to now is read, however many others there are",
  ignore,
  fn: async () => {
    using journal = new Journal();
    await journal.write([{ message: "now" }]);
    for (let file = 0; file < 300; file++) {
      const name = `system@0a-1-${file.toString(16).padStart(16, "0")}.journal`;
      Deno.writeTextFileSync(`${journal.machine}/${name}`, "no journal");
    }
    using folder = new JournalFolder(journal.folder, { positions: {}, nowMs: 0 });
    assertEquals(messages(folder, 0), ["now"]);
  },
});

Deno.test({
  name: "journal: a folder that cannot be read for a while is not read anew",
  ignore,
  fn: async () => {
    using journal = new Journal();
    await journal.write([{ message: "once" }]);
    archiveFile(`${journal.machine}/system.journal`, `${journal.machine}/system@0a-1.journal`);
    using folder = new JournalFolder(journal.folder, { positions: {}, nowMs: 0 });
    assertEquals(messages(folder, 0), ["once"]);
    Deno.renameSync(journal.folder, `${journal.folder}-away`);
    assertEquals(messages(folder, FOLDER_INTERVAL_MS), []);
    Deno.renameSync(`${journal.folder}-away`, journal.folder);
    assertEquals(messages(folder, 2 * FOLDER_INTERVAL_MS), []);
  },
});

Deno.test({
  name: "journal: of files that are gone nothing is kept, of those that are read all",
  ignore,
  fn: async () => {
    using journal = new Journal();
    using folder = new JournalFolder(journal.folder, { positions: {}, nowMs: 0 });
    const archive = `${journal.machine}/system@0a-1.journal`;
    for (let round = 1; round < 4; round++) {
      await journal.write(numbered(round, round + 1));
      archiveFile(`${journal.machine}/system.journal`, archive);
      assertEquals(messages(folder, round * FOLDER_INTERVAL_MS), [`message ${round}`]);
      assertEquals(messages(folder, (round + 0.5) * FOLDER_INTERVAL_MS), []);
    }
    assertEquals(messages(folder, 5 * FOLDER_INTERVAL_MS), []);
    assertEquals(Object.values(folder.positions), [1]);
  },
});

Deno.test({
  name: "journal: a flood of one log keeps no other from being read",
  ignore,
  fn: async () => {
    using journal = new Journal();
    const log = `${journal.folder}/app.log`;
    Deno.writeTextFileSync(log, "");
    let nowMs = 0;
    using inlet = new LogInlet({
      files: [log],
      journals: [journal.folder],
      positions: { files: {}, journals: {} },
      nowMs: () => 0,
      clockMs: () => nowMs += FOLDER_INTERVAL_MS,
    });
    Deno.writeTextFileSync(log, `${"x".repeat(1000)}\n`.repeat(5000), { append: true });
    await journal.write([{ message: "heard" }]);
    const turns = [inlet.poll(), inlet.poll()].flat();
    assertEquals(turns.map(({ message }) => message), ["heard"]);
  },
});

Deno.test({
  name: "journal: entries in a form that is not read are counted",
  ignore,
  fn: async () => {
    using journal = new Journal();
    const long = "Accepted ".repeat(500);
    await journal.write([{ message: "a" }, { message: long }, { message: "b" }]);
    const path = `${journal.machine}/system.journal`;
    const bytes = await Deno.readFile(path);
    // The one object that is packed, as it would be by another method.
    const packed = objectsOf(bytes).filter((at) => bytes[at + 1] === 4);
    assertEquals(packed.length, 1);
    for (const at of packed) bytes[at + 1] = 2;
    await Deno.writeFile(path, bytes);
    using folder = new JournalFolder(journal.folder, { positions: {}, nowMs: 0 });
    assertEquals([messages(folder, 0), folder.unread, folder.damaged], [["a", "b"], 1, 0]);
  },
});

Deno.test({
  name: "journal: a file that is damaged ends there, and no damage does more",
  ignore,
  fn: async () => {
    using journal = new Journal();
    await journal.write(numbered(0, 20));
    const path = `${journal.machine}/system.journal`;
    const bytesWhole = await Deno.readFile(path);
    // Behind the last object there is room alone.
    const last = Number(new DataView(bytesWhole.buffer).getBigUint64(TAIL_OBJECT_AT, true));
    const whole = bytesWhole.subarray(0, last + 512);
    let damaged = 0;
    for (let at = 0; at < 64; at++) {
      const bytes = whole.slice();
      // From the end on, where entries and their arrays are.
      const place = whole.length - (at + 1) * 64;
      bytes.fill(0xFF, place, place + 64);
      await Deno.writeFile(path, bytes);
      using folder = new JournalFolder(journal.folder, { positions: {}, nowMs: 0 });
      assert(messages(folder, 0).length <= 20);
      damaged += folder.damaged;
    }
    await Deno.writeFile(path, whole.subarray(0, 300));
    using cut = new JournalFolder(journal.folder, { positions: {}, nowMs: 0 });
    for (let look = 0; look < 5; look++) {
      assertEquals(messages(cut, look * FOLDER_INTERVAL_MS), []);
    }
    // It is looked at time and again, and told of once.
    assertEquals(cut.damaged, 1);
    await Deno.writeTextFile(path, "no journal");
    using none = new JournalFolder(journal.folder, { positions: {}, nowMs: 0 });
    assertEquals([messages(none, 0), none.isOpen], [[], false]);
    assert(damaged > 0);
  },
});

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
