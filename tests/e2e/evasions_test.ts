// Ordinary things done in ways that observers are known to miss: one test each, by what the sensor's
// records say of it. What runs is harmless.

import { assert, assertEquals } from "@std/assert";
import type { RecordView } from "../../common/record/decode.ts";
import { commandLine } from "../../common/record/text.ts";
import { KINDS } from "../../common/record/table.ts";
import { compileRules, readRuleSources } from "../../common/sigma/mod.ts";
import { FLAGS } from "../../common/record/values.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { hasMptcp, kernelIsAtLeast } from "../support/host.ts";
import { ROOT } from "../support/immune.ts";
import {
  compile,
  inFolder,
  pathOf,
  present,
  Probe,
  type Ran,
  run,
  sensorTest,
  type SensorTestOptions,
} from "../support/probe.ts";

/** Longest path that a program may ask for, in bytes. */
const PATH_ASKED_BYTES = 4095;
const AF_INET = 2;
const CHAIN_DEPTH = 300;
/** Flags of open(2) on Linux, and those that an open may write by. */
const [O_CREAT, O_TRUNC] = [0o100, 0o1000];
const WRITES = 3 | O_CREAT | O_TRUNC;

/** A folder with the program that does them, and a sensor. */
interface Scene {
  readonly folder: string;
  readonly evade: string;
  /** A word that stands in nobody else's arguments. */
  readonly word: string;
}

function evasion(
  name: string,
  test: (scene: Scene) => Promise<void>,
  options: SensorTestOptions = {},
): void {
  sensorTest(
    `evasion: ${name}`,
    () =>
      inFolder(async (folder) => {
        await test({ folder, evade: await compile("evade", folder), word: crypto.randomUUID() });
      }),
    options,
  );
}

/** Whether a kernel shows programs the names that io_uring opens (specs/kernels.md). */
function showsRingNames(): boolean {
  return kernelIsAtLeast(6, 2) && !kernelIsAtLeast(7, 3);
}

const ON_X86: SensorTestOptions = { isPossible: Deno.build.arch === "x86_64" };

function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

const imageOf = (record: RecordView): string => textOf(record.slot("exec", "image"));
const argvOf = (record: RecordView): string =>
  commandLine(record.slot("exec", "argv") ?? new Uint8Array());

const openedAs = (record: RecordView): string => textOf(record.slot("open", "opened_as"));

/** Execs whose arguments hold a word, once there are so many. */
function execs(probe: Probe, word: string, count = 1): readonly RecordView[] {
  const found = () =>
    probe.records.filter((record) =>
      record.kindId === KINDS.exec.id && argvOf(record).includes(word)
    );
  probe.until(() => found().length >= count);
  return found();
}

/** The open of a path by the process that a helper says it is. */
function openOf(probe: Probe, { lines }: Ran, path: string): RecordView {
  const pid = Number(lines[0]);
  const found = () => probe.opens(pid).find((record) => pathOf(record) === path);
  probe.until(() => found() !== undefined);
  return present(found());
}

function watching(path: string): Probe {
  return new Probe({ kinds: ["exec", "open"], watches: [{ type: "file", path }] });
}

evasion("a watched file opened by io_uring, named by a link", async ({ folder, evade }) => {
  const path = `${folder}/secret`;
  Deno.writeTextFileSync(path, "x");
  Deno.symlinkSync(path, `${folder}/link`);
  using probe = watching(path);
  openOf(probe, await run(evade, ["uring", `${folder}/link`]), path);
});

evasion(
  "opens by openat2, by a descriptor of a path and by a handle",
  async ({ folder, evade }) => {
    const path = `${folder}/secret`;
    Deno.writeTextFileSync(path, "x");
    using watched = watching(path);
    using wide = new Probe({ kinds: ["open"], wideOpen: true });
    for (const how of ["openat2", "reopen", "handle"]) {
      const ran = await run(evade, [how, path]);
      for (const probe of [watched, wide]) {
        assertEquals(openOf(probe, ran, path).flags & FLAGS.unresolved, 0, how);
      }
    }
  },
);

evasion("opens for reading that make a file, or empty one", async ({ folder, evade }) => {
  const path = `${folder}/log`;
  using wide = new Probe({ kinds: ["open"], wideOpen: true });
  const flagsOf = async (how: string): Promise<number> =>
    openOf(wide, await run(evade, [how, path]), path).number("open", "open_flags") ?? 0;
  assertEquals(await flagsOf("make") & WRITES, O_CREAT);
  assertEquals(await flagsOf("make") & WRITES, 0);
  assertEquals(await flagsOf("empty") & WRITES, O_TRUNC);
  assertEquals(await flagsOf("empty2") & WRITES, O_TRUNC);
  assertEquals(await flagsOf("openat2") & WRITES, 0);
  assertEquals(await flagsOf("three") & WRITES, 3);
});

evasion("any file opened by io_uring, in the wide stream", async ({ folder, evade }) => {
  const path = `${folder}/secret`;
  Deno.writeTextFileSync(path, "x");
  using probe = new Probe({ kinds: ["open"], wideOpen: true });
  const absolute = openOf(probe, await run(evade, ["uring", path]), path);
  assert(absolute.has("unresolved"));
  assertEquals(absolute.number("open", "open_flags") & 3, 0);
  openOf(probe, await run(evade, ["uring", "secret"], { cwd: folder }), path);
}, { isPossible: showsRingNames() });

evasion("the environment of a process opened by io_uring", async ({ evade }) => {
  const sources = await readRuleSources(`${ROOT}rules/costly`);
  const name = "process_opened_by_ring.yml";
  const engine = await Engine.create();
  engine.publish(compileRules(sources.filter(({ path }) => path.endsWith(name))).image);
  using probe = new Probe({ kinds: ["exec", "open"], wideOpen: true });
  const path = `/proc/${Deno.pid}/environ`;
  const { pid } = await run("/bin/cat", [path]);
  probe.until(() => probe.opens(pid).some((record) => pathOf(record) === path));
  const opened = openOf(probe, await run(evade, ["uring", path]), path);
  const fired = probe.records.filter(({ bytes }) => {
    engine.batch.set(bytes);
    return engine.scan(bytes.length).length > 0;
  });
  assertEquals(fired.map((record) => record.pid), [opened.pid]);
}, { isPossible: showsRingNames() });

evasion("a program run from memory", async ({ evade, word }) => {
  using probe = new Probe({ kinds: ["exec"] });
  await run(evade, ["memfd", "/bin/true", word]);
  const found = execs(probe, word, 2).filter((record) => record.has("memory_only"));
  assertEquals(found.map(imageOf), ["/memfd:quiet"]);
  assert(found[0]?.has("deleted"));
});

evasion(
  "an interpreter under another name, with another one as its first argument",
  async ({ folder, word }) => {
    const image = `${folder}/kworker`;
    Deno.copyFileSync("/bin/dash", image);
    Deno.chmodSync(image, 0o755);
    using probe = new Probe({ kinds: ["exec"] });
    const script = `exec -a '[kworker/0:1]' ${image} -c : ${word}`;
    await run("/bin/bash", ["-c", script]);
    const found = execs(probe, word, 2).at(-1);
    assert(found !== undefined);
    assertEquals(imageOf(found), image);
    assertEquals(found.number("exec", "inode"), Number(Deno.statSync(image).ino));
    assertEquals(argvOf(found), `[kworker/0:1] -c : ${word}`);
  },
);

evasion("sockets whose connects and datagrams meet no hook", async () => {
  using probe = new Probe({ kinds: ["connect"] });
  // UDP-Lite, which Linux 7 has no more, and ping; TCP is told by its connects alone.
  const script = "for ([2, 136], [2, 1], [1, 6]) { " +
    `socket(my $s, ${AF_INET}, $$_[0], $$_[1]) and print "$$_[1]\\n" }`;
  const { pid, lines } = await run("perl", ["-e", script]);
  probe.drain();
  const told = probe.records.filter((record) =>
    record.pid === pid && record.kindId === KINDS.connect.id
  );
  const made = lines.filter((line) => line !== "6");
  assertEquals(told.map((record) => String(record.number("connect", "protocol"))), made);
  for (const record of told) {
    assert(record.has("unresolved"));
    assertEquals(record.number("connect", "port"), 0);
  }
  assert(made.length > 0 || kernelIsAtLeast(7, 0));
});

evasion("a hard link to a watched file", async ({ folder }) => {
  const path = `${folder}/secret`;
  const link = `${folder}/other/innocent`;
  Deno.mkdirSync(`${folder}/other`);
  Deno.writeTextFileSync(path, "x");
  using probe = new Probe({
    kinds: ["open", "change"],
    watches: [{ type: "file", path, wants: "both" }],
  });
  await run("/bin/ln", [path, link]);
  probe.until((records) => records.some(({ kindId }) => kindId === KINDS.change.id));
  const { pid } = await run("/bin/cat", [link]);
  probe.until(() => probe.opens(pid).length > 0);
  // Told as what is watched, so that a rule on that path fires, and as what was asked for.
  assertEquals(probe.opens(pid).map(pathOf), [path]);
  assertEquals(probe.opens(pid).map(openedAs), [link]);
});

/** Whether an overlay can be mounted whose kernel tells of opens through it: tried with Linux 6.18. */
function tellsOverlays(): boolean {
  return kernelIsAtLeast(6, 18) &&
    Deno.readTextFileSync("/proc/filesystems").includes("\toverlay\n");
}

for (const how of ["--bind", ...tellsOverlays() ? ["-t overlay"] : []]) {
  evasion(`a folder mounted elsewhere (${how}), with a watched file in it`, async ({ folder }) => {
    const path = `${folder}/home/secret`;
    for (const name of ["home", "none", "other"]) Deno.mkdirSync(`${folder}/${name}`);
    Deno.writeTextFileSync(path, "x");
    using probe = watching(path);
    const source = how === "--bind"
      ? `${folder}/home`
      : `overlay -o lowerdir=${folder}/home:${folder}/none`;
    const script = `mount ${how} ${source} ${folder}/other && exec cat ${folder}/other/secret`;
    const { pid } = await run("unshare", ["--mount", "/bin/sh", "-c", script]);
    probe.until(() => probe.opens(pid).length > 0);
    assertEquals(probe.opens(pid).map(pathOf), [path]);
    assert(probe.opens(pid).map(openedAs)[0]?.endsWith("/secret"));
  });
}

evasion("a relative path, of a program and of a file", async ({ folder, evade, word }) => {
  const path = `${folder}/secret`;
  Deno.writeTextFileSync(path, "x");
  Deno.mkdirSync(`${folder}/a`);
  Deno.copyFileSync("/bin/cat", `${folder}/mine`);
  Deno.chmodSync(`${folder}/mine`, 0o755);
  using probe = new Probe({ kinds: ["exec", "open"], wideOpen: true });
  const script = `cd ${folder}/a && ../mine ../secret /dev/null ../a/../secret # ${word}`;
  await run("/bin/bash", ["-c", script]);
  await run(evade, ["vfork", "../mine", "../secret"], { cwd: `${folder}/a` });
  const ran = () =>
    probe.records.filter((record) =>
      record.kindId === KINDS.exec.id && imageOf(record) === `${folder}/mine`
    );
  probe.until(() => ran().length === 2);
  for (const record of ran()) {
    assertEquals(textOf(record.slot("exec", "cwd")), `${folder}/a`);
    probe.until(() => probe.opens(record.pid).some((open) => pathOf(open) === path));
  }
});

evasion("a path of 4,095 bytes, of a program and of a file", async ({ folder, word }) => {
  // One path component may have 255 bytes; the last one takes what is left.
  const part = "d".repeat(200);
  let path = folder;
  while (path.length + part.length + 2 < PATH_ASKED_BYTES - 200) path += `/${part}`;
  await run("/bin/mkdir", ["-p", path]);
  path += `/${"f".repeat(PATH_ASKED_BYTES - path.length - 1)}`;
  assertEquals(path.length, PATH_ASKED_BYTES);
  await run("/bin/cp", ["/bin/cat", path]);
  using probe = new Probe({ kinds: ["exec", "open"], wideOpen: true });
  const { pid } = await run(path, ["/dev/null"]);
  const { pid: reader } = await run("/bin/cat", [path]);
  const found = () =>
    probe.records.find((record) => record.kindId === KINDS.exec.id && record.pid === pid);
  probe.until(() => found() !== undefined);
  const record = found();
  assert(record !== undefined && word !== "");
  assertEquals(imageOf(record), path);
  assertEquals(textOf(record.slot("exec", "file_name")), path);
  assert(!record.has("truncated") && !record.has("unresolved"));
  probe.until(() => probe.opens(reader).some((open) => pathOf(open) === path));
});

evasion("arguments rewritten after the start", async ({ folder, evade, word }) => {
  const path = `${folder}/secret`;
  Deno.writeTextFileSync(path, "x");
  using probe = watching(path);
  openOf(probe, await run(evade, ["argv", word, path]), path);
  assertEquals(argvOf(present(execs(probe, word)[0])), `${evade} argv ${word} ${path}`);
});

evasion("an open by int 0x80", async ({ folder, evade }) => {
  const path = `${folder}/secret`;
  Deno.writeTextFileSync(path, "x");
  using probe = new Probe({ kinds: ["open"], wideOpen: true });
  assert(openOf(probe, await run(evade, ["int80", path]), path).has("compat"));
}, ON_X86);

evasion("system calls of a 32-bit program", async ({ folder }) => {
  const program = await compile("open32", folder);
  using probe = new Probe({ kinds: ["exec", "open"], wideOpen: true });
  const { pid } = await run(program, []);
  probe.until(() => probe.opens(pid).some((record) => pathOf(record) === "/etc/hostname"));
  const exec = probe.records.find((record) =>
    record.kindId === KINDS.exec.id && record.pid === pid
  );
  assert(exec !== undefined && exec.has("compat"));
  assert(probe.opens(pid).every((record) => record.has("compat")));
}, ON_X86);

for (const how of ["fastopen", "mptcp", "mapped", "uring"]) {
  evasion(`a connect by ${how}`, async ({ folder }) => {
    const connects = await compile("connects", folder);
    using probe = new Probe({ kinds: ["connect"] });
    const { pid, lines } = await run(connects, [how]);
    const found = () =>
      probe.records.find((record) => record.kindId === KINDS.connect.id && record.pid === pid);
    probe.until(() => found() !== undefined);
    const record = found();
    assert(record !== undefined);
    assertEquals(record.number("connect", "port"), Number(lines[0]));
    assertEquals(record.number("connect", "family"), 2);
    assertEquals([...record.address("connect", "address").subarray(0, 4)], [127, 0, 0, 1]);
    assertEquals(record.has("mapped"), how === "mapped");
  }, { isPossible: how !== "mptcp" || hasMptcp() });
}

evasion("a path on a page that was not touched", async ({ folder, evade }) => {
  const path = `${folder}/secret`;
  Deno.writeTextFileSync(path, "x");
  Deno.writeTextFileSync(`${folder}/page`, `${path}\0`);
  // Out of the page cache: the kernel itself has to fetch it.
  await run("/bin/dd", [`if=${folder}/page`, "iflag=nocache", "count=0", "status=none"]);
  using probe = new Probe({ kinds: ["open"], wideOpen: true });
  openOf(probe, await run(evade, ["untouched", `${folder}/page`]), path);
});

evasion("a chain of 300 forks", async ({ evade }) => {
  using probe = new Probe({ kinds: ["exec", "fork"] });
  const ran = await run(evade, ["chain", String(CHAIN_DEPTH), "/bin/true"]);
  const last = () =>
    probe.records.find((record) =>
      record.kindId === KINDS.exec.id && argvOf(record) === `/bin/true depth${CHAIN_DEPTH}`
    );
  probe.until(() => last() !== undefined);
  const parents = new Map(
    probe.records.filter(({ kindId }) => kindId === KINDS.fork.id)
      .map((record) => [`${record.pid} ${record.startTimeNs}`, record]),
  );
  let [at, depth] = [last(), 0];
  while (at !== undefined && at.pid !== Number(ran.lines[0])) {
    at = parents.get(`${at.parentPid} ${at.parentStartTimeNs}`) ??
      (at.parentPid === Number(ran.lines[0]) ? undefined : at);
    assert(depth++ < 2 * CHAIN_DEPTH, "the chain has a gap");
  }
  assertEquals(depth, CHAIN_DEPTH);
});

evasion("a program run from a thread that is not the first", async ({ evade, word }) => {
  using probe = new Probe({ kinds: ["exec"] });
  const { lines } = await run(evade, ["thread", "/bin/true", word]);
  const found = execs(probe, word, 2).map((record) => [record.pid, imageOf(record)]);
  assertEquals(found, [[Number(lines[0]), evade], [
    Number(lines[0]),
    Deno.realPathSync("/bin/true"),
  ]]);
});

evasion("a program run by vfork", async ({ evade, word }) => {
  using probe = new Probe({ kinds: ["exec", "fork"] });
  const { pid, lines } = await run(evade, ["vfork", "/bin/true", word]);
  const found = execs(probe, word, 2).at(-1);
  assertEquals([found?.pid, found?.parentPid], [Number(lines[0]), pid]);
});

evasion(
  "a label in a child of another parent, and in namespaces",
  async ({ folder, evade, word }) => {
    const name = `immune-${word}`;
    Deno.copyFileSync(evade, `${folder}/${name}`);
    Deno.chmodSync(`${folder}/${name}`, 0o755);
    const { interest: { roles } } = compileRules([{
      path: "a.yml",
      text: `title: T\nrole: mine\ndetection: { s: { Image|endswith: /${name} }, condition: s }\n`,
    }]);
    using probe = new Probe({ kinds: ["exec", "fork"], roles });
    const namespaces = ["--user", "--map-root-user", "--pid", "--mount", "--fork"];
    const ends = ["/usr/bin/unshare", ...namespaces, "/bin/true", word];
    const { pid } = await run(`${folder}/${name}`, ["sibling", ...ends]);
    const found = () => execs(probe, word).filter((record) => record.role !== 0);
    probe.until(() => found().some((record) => imageOf(record).endsWith("/true")));
    const [begun] = probe.records.filter((record) => record.pid === pid && record.role !== 0);
    const sibling = found().find((record) => imageOf(record).endsWith("/unshare"));
    assert(begun !== undefined && sibling !== undefined && sibling.parentPid !== pid);
    for (const record of found()) {
      assertEquals([record.role, record.session], [begun.role, begun.session]);
    }
  },
);

evasion("a pid that is used again at once", async ({ evade, word }) => {
  using probe = new Probe({ kinds: ["exec", "exit"] });
  const { lines } = await run(evade, ["samepid", "/bin/true", word]);
  const pid = Number(lines[0]);
  const found = execs(probe, word, 3).filter((record) => record.pid === pid);
  assertEquals(found.length, 2);
  assert(found[0]?.startTimeNs !== found[1]?.startTimeNs);
  const exits = () =>
    probe.records.filter((record) => record.kindId === KINDS.exit.id && record.pid === pid);
  probe.until(() => exits().length === 2);
  assertEquals(
    exits().map(({ startTimeNs }) => startTimeNs),
    found.map((record) => record.startTimeNs),
  );
});

evasion("a mount namespace that hides the path", async ({ folder, word }) => {
  const path = `${folder}/secret`;
  Deno.writeTextFileSync(path, "x");
  Deno.writeTextFileSync(`${folder}/innocent`, "");
  Deno.copyFileSync("/bin/true", `${folder}/mine`);
  Deno.chmodSync(`${folder}/mine`, 0o755);
  Deno.writeTextFileSync(`${folder}/true`, "");
  using probe = new Probe({ kinds: ["exec", "open"], watches: [{ type: "file", path }] });
  const script = `mount --bind ${path} ${folder}/innocent && mount --bind ${folder}/mine ` +
    `${folder}/true && ${folder}/true ${word} && exec cat ${folder}/innocent`;
  await run("unshare", ["--mount", "/bin/sh", "-c", script]);
  // Both are shown under the names that the namespace has, what is watched under its own, too.
  const ran = () => execs(probe, word).find((record) => imageOf(record) === `${folder}/true`);
  probe.until(() => ran() !== undefined);
  const own = probe.records.find((record) => record.kindId === KINDS.exec.id && record.pid !== 0);
  assert(own !== undefined);
  assertEquals(ran()?.number("exec", "inode"), Number(Deno.statSync(`${folder}/mine`).ino));
  const outside = Number(/\d+/.exec(Deno.readLinkSync("/proc/self/ns/mnt"))?.[0]);
  assert(ran()?.number("exec", "mount_namespace") !== outside);
  const found = () => probe.opens().find((record) => openedAs(record) === `${folder}/innocent`);
  probe.until(() => found() !== undefined);
  const open = present(found());
  assertEquals(pathOf(open), path);
  assertEquals(open.number("open", "inode"), Number(Deno.statSync(path).ino));
  assertEquals(open.flags & FLAGS.unresolved, 0);
});
