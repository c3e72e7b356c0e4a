import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { StatsRow } from "../../agent/sensors/sensor.ts";
import type { RecordView } from "../../common/record/decode.ts";
import { KINDS } from "../../common/record/table.ts";
import { SOURCES } from "../../common/record/values.ts";
import { compileRules } from "../../common/sigma/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { Lines, START_WAIT_MS } from "../support/lines.ts";
import { hasOverlay, onOverlay, onTmpfs } from "../support/mounts.ts";
import { compile, inFolder, present, Probe, run, sensorTest } from "../support/probe.ts";

const textOf = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

async function sha256(path: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", Deno.readFileSync(path))).toHex();
}

/** Hashes that were told of a path, as hexadecimal digits. */
function hashesOf(probe: Probe, path: string): readonly RecordView[] {
  return probe.records.filter((record) =>
    record.kindId === KINDS.image_hash.id &&
    textOf(record.slot("image_hash", "path")) === path
  );
}

const digestOf = (record: RecordView) => present(record.slot("image_hash", "sha256")).toHex();

/** A program of its own: its bytes are nobody else's. */
function makeProgram(path: string, from = "/bin/true"): void {
  Deno.copyFileSync(from, path);
  Deno.chmodSync(path, 0o755);
  Deno.writeTextFileSync(path, crypto.randomUUID(), { append: true });
}

function row(probe: Probe): StatsRow {
  return present(probe.sensor.tables().find(({ source }) => source === SOURCES.hash));
}

sensorTest("the hash of a program comes once a version of its file", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/mine`;
    makeProgram(path);
    using probe = new Probe({ kinds: ["exec"], hashes: "first" });
    const { pid } = await run(path, []);
    probe.until(() => hashesOf(probe, path).length > 0);
    const [first] = hashesOf(probe, path);
    assertEquals(digestOf(present(first)), await sha256(path));
    assertEquals(first?.pid, pid);
    assertEquals(first?.number("image_hash", "is_program"), 1);
    assertEquals(first?.number("image_hash", "size"), Deno.statSync(path).size);
    const before = row(probe).filtered;
    await run(path, []);
    probe.until(() => row(probe).filtered > before);
    makeProgram(path);
    await run(path, []);
    probe.until(() => hashesOf(probe, path).length > 1);
    assertEquals(hashesOf(probe, path).map(digestOf).at(-1), await sha256(path));
    assertEquals(hashesOf(probe, path).length, 2);
  });
});

sensorTest("the hash of a program comes with every start while that is asked for", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/mine`;
    makeProgram(path);
    using probe = new Probe({ kinds: ["exec"], hashes: "each" });
    const pids: number[] = [];
    for (let i = 0; i < 3; i++) {
      pids.push((await run(path, [])).pid);
      probe.until(() => hashesOf(probe, path).length === i + 1);
    }
    assertEquals(hashesOf(probe, path).map(({ pid }) => pid), pids);
    const digest = await sha256(path);
    assert(hashesOf(probe, path).every((record) => digestOf(record) === digest));
  });
});

sensorTest(
  "a program that is in memory alone, or was removed, is hashed by its process",
  async () => {
    await inFolder(async (folder) => {
      const evade = await compile("evade", folder);
      const path = `${folder}/mine`;
      Deno.copyFileSync("/bin/sleep", path);
      Deno.chmodSync(path, 0o755);
      using probe = new Probe({ kinds: ["exec"], hashes: "each" });
      const gone = new Deno.Command(path, { args: ["60"] }).spawn();
      Deno.removeSync(path);
      const hidden = new Deno.Command(evade, {
        args: ["memfd", "/bin/sleep", "60"],
        stdout: "null",
      })
        .spawn();
      try {
        probe.until(() => hashesOf(probe, path).length > 0);
        probe.until(() => hashesOf(probe, "/memfd:quiet").length > 0);
        const digest = await sha256("/bin/sleep");
        assertEquals(digestOf(present(hashesOf(probe, path)[0])), digest);
        assertEquals(digestOf(present(hashesOf(probe, "/memfd:quiet")[0])), digest);
      } finally {
        for (const child of [gone, hidden]) {
          child.kill("SIGKILL");
          await child.status;
        }
      }
    });
  },
);

sensorTest("another file at the path is never hashed in its place", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/mine`;
    makeProgram(path);
    const mine = await sha256(path);
    Deno.copyFileSync("/bin/true", `${folder}/other`);
    using probe = new Probe({ kinds: ["exec"], hashes: "each" });
    // Nothing is hashed before the exec is read: by then the process and its file are gone.
    await run(path, []);
    Deno.renameSync(`${folder}/other`, path);
    const before = row(probe).unreadable;
    probe.until(() => row(probe).unreadable > before || hashesOf(probe, path).length > 0);
    assert(hashesOf(probe, path).every((record) => digestOf(record) === mine));
  });
});

/** Runs a program, changes it without another change time, and runs it again: each hash is told. */
async function remapAndRun(
  path: string,
  { folder, hashes }: { readonly folder: string; readonly hashes: "first" | "each" },
): Promise<void> {
  const remap = await compile("remap", folder);
  makeProgram(path);
  const before = await sha256(path);
  using probe = new Probe({ kinds: ["exec"], hashes });
  await run(path, []);
  probe.until(() => hashesOf(probe, path).length === 1);
  if (hashes === "first") {
    const { filtered } = row(probe);
    await run(path, []);
    probe.until(() => row(probe).filtered > filtered);
  }
  assertEquals((await run(remap, [path])).lines, ["untold"]);
  await run(path, []);
  probe.until(() => hashesOf(probe, path).length === 2);
  const after = await sha256(path);
  assertNotEquals(before, after);
  assertEquals(hashesOf(probe, path).map(digestOf), [before, after]);
}

for (const hashes of ["first", "each"] as const) {
  sensorTest(
    `a program in memory is hashed each time, ${hashes} is told`,
    () =>
      inFolder(async (folder) => {
        const place = `${folder}/memory`;
        await onTmpfs(place, () => remapAndRun(`${place}/mine`, { folder, hashes }));
      }),
  );
}

sensorTest(
  "a program of an overlay in memory is hashed each time",
  () =>
    inFolder((folder) =>
      onOverlay({ folder, program: "/bin/true" }, async (program) => {
        const place = program.slice(0, program.lastIndexOf("/"));
        await remapAndRun(`${place}/mine`, { folder, hashes: "each" });
      })
    ),
  { isPossible: hasOverlay() },
);

sensorTest(
  "a process that runs another file at the same path by now is not taken for it",
  () =>
    inFolder(async (folder) => {
      for (const name of ["in", "prepared"]) {
        Deno.mkdirSync(`${folder}/${name}`);
        makeProgram(`${folder}/${name}/mine`, "/bin/sh");
      }
      const path = `${folder}/in/mine`;
      const [first, second] = [await sha256(path), await sha256(`${folder}/prepared/mine`)];
      using probe = new Probe({ kinds: ["exec"], hashes: "each" });
      const again = "echo there; read -r line";
      const script = `mv ${folder}/in ${folder}/old && mv ${folder}/prepared ${folder}/in && ` +
        `exec ${path} -c "${again}"`;
      await using child = new Deno.Command(path, {
        args: ["-c", script],
        stdin: "piped",
        stdout: "piped",
      }).spawn();
      const lines = new Lines(child.stdout);
      // Nothing is hashed before the exec is read: by then the process runs the other file.
      await lines.find((line) => line === "there", { waitMs: START_WAIT_MS });
      probe.until(() => hashesOf(probe, path).length > 0 && row(probe).unreadable > 0);
      probe.drain();
      assertEquals(hashesOf(probe, path).map(digestOf), [second]);
      assertNotEquals(first, second);
      await child.stdin.close();
      await lines.drain();
    }),
);

sensorTest("a watched file is hashed when it is opened and after it was written", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/secret`;
    Deno.writeTextFileSync(path, crypto.randomUUID());
    using probe = new Probe({
      kinds: ["exec", "open", "change"],
      watches: [{ type: "file", path, wants: "both" }],
      hashes: "first",
    });
    await run("/bin/cat", [path]);
    probe.until(() => hashesOf(probe, path).length === 1);
    await run("/bin/sh", ["-c", `echo more >>${path}`]);
    probe.until(() => hashesOf(probe, path).length === 2);
    assertEquals(hashesOf(probe, path).map(digestOf).at(-1), await sha256(path));
    assertEquals(hashesOf(probe, path)[0]?.number("image_hash", "is_program"), 0);
  });
});

sensorTest("a rule on the hash of a program fires on the real thing, by both fields", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/mine`;
    makeProgram(path);
    const digest = await sha256(path);
    const rule = (field: string) => ({
      path: `${field}.yml`,
      text: `title: T\nlogsource: { category: process_creation, product: linux }\n` +
        `detection: { s: { ${field}, Image: ${path}, CommandLine|endswith: one }, condition: s }\n`,
    });
    const set = compileRules([
      rule(`Hashes|contains: 'SHA256=${digest}'`),
      rule(`sha256: '${digest}'`),
    ]);
    assertEquals(set.interest.hashes, true);
    const engine = await Engine.create();
    engine.publish(set.image);
    using probe = new Probe({ kinds: ["exec", "exit"], hashes: "each" });
    const fired: number[] = [];
    await run(path, ["one"]);
    probe.until(() => hashesOf(probe, path).length > 0);
    for (const { bytes } of probe.records) {
      engine.batch.set(bytes);
      fired.push(...engine.scan(bytes.length).map((hit) => hit.rule));
    }
    assertEquals(fired.toSorted(), [0, 1]);
  });
});
