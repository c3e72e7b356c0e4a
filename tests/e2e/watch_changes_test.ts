import { assert, assertEquals } from "@std/assert";
import type { RecordView } from "../../common/record/decode.ts";
import { KINDS } from "../../common/record/table.ts";
import { CHANGES, FLAGS } from "../../common/record/values.ts";
import { inFolder, present, Probe, run, sensorTest } from "../support/probe.ts";

/** A change as a test looks at it. */
interface Change {
  readonly what: string;
  readonly path: string;
  readonly old?: string;
}

function changesOf(probe: Probe, pid?: number): RecordView[] {
  return probe.records.filter((record) =>
    record.kindId === KINDS.change.id && (pid === undefined || record.pid === pid)
  );
}

function describe(record: RecordView): Change {
  const number = record.number("change", "change");
  const what = Object.entries(CHANGES).find(([, value]) => value === number)?.[0] ?? "?";
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const old = record.slot("change", "old_path");
  return {
    what,
    path: decode(record.slot("change", "path") ?? new Uint8Array()),
    ...(old === undefined ? {} : { old: decode(old) }),
  };
}

/** Without those of a file that is the watched one by now, under its name from before. */
function ofOthers(found: readonly Change[], before: string): Change[] {
  return found.filter(({ path }) => path !== before);
}

/** Removes a file; its number of names may be told before, while it still has one. */
async function removal(probe: Probe, path: string): Promise<Change[]> {
  const found = await changes(probe, `rm ${path}`, "delete");
  return found[0]?.what === "attributes" ? found.slice(1) : found;
}

/** Runs a command, which has ended by then; its changes, once the last one of them is there. */
async function changes(probe: Probe, command: string, last: string): Promise<Change[]> {
  const { lines } = await run("/bin/sh", ["-c", `${command}; echo done`]);
  assertEquals(lines.at(-1), "done");
  const from = changesOf(probe).length;
  probe.until(() => changesOf(probe).slice(from).some((record) => describe(record).what === last));
  const found = changesOf(probe).slice(from);
  for (const record of found) {
    assertEquals(record.flags & FLAGS.unresolved, 0, JSON.stringify(describe(record)));
    assert(record.startTimeNs > 0n, "nobody is known to have done it");
    assert(record.pid !== Deno.pid);
  }
  return found.map(describe);
}

sensorTest(
  "a watched file tells writes, mode, links and names; its neighbour nothing",
  async () => {
    await inFolder(async (folder) => {
      const path = `${folder}/secret`;
      Deno.mkdirSync(`${folder}/other`);
      Deno.writeTextFileSync(path, "x");
      Deno.writeTextFileSync(`${folder}/public`, "x");
      using probe = new Probe({
        kinds: ["change"],
        watches: [{ type: "file", path, wants: "changes" }],
      });
      assertEquals(await changes(probe, `echo >>${folder}/public; echo >>${path}`, "write"), [
        { what: "write", path },
      ]);
      assertEquals(await changes(probe, `chmod 4755 ${path}`, "attributes"), [
        { what: "attributes", path },
      ]);
      const [mode] = changesOf(probe).slice(-1);
      assertEquals(mode?.number("change", "mode"), 0o104755);
      assertEquals(mode?.number("change", "inode"), Number(Deno.statSync(path).ino));
      assertEquals(await changes(probe, `ln ${path} ${folder}/other/hard`, "link"), [
        { what: "link", path },
      ]);
      assertEquals(await changes(probe, `echo >>${folder}/other/hard`, "write"), [
        { what: "write", path: `${folder}/other/hard` },
      ]);
      assertEquals(await changes(probe, `rm ${folder}/other/hard`, "attributes"), [
        { what: "attributes", path },
      ]);
      assertEquals(await changes(probe, `mv ${path} ${folder}/other/moved`, "rename"), [
        { what: "rename", path: `${folder}/other/moved`, old: path },
      ]);
    });
  },
);

sensorTest("a watched file tells what is renamed onto it, made, linked and deleted", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/secret`;
    using probe = new Probe({
      kinds: ["change"],
      watches: [{ type: "file", path, wants: "changes" }],
    });
    const replaced = await changes(
      probe,
      `echo x >${folder}/next; mv ${folder}/next ${path}`,
      "rename",
    );
    assertEquals(ofOthers(replaced, `${folder}/next`), [
      { what: "rename", path, old: `${folder}/next` },
    ]);
    // The new file has the marks of the old one.
    assertEquals(await changes(probe, `echo x >>${path}`, "write"), [{ what: "write", path }]);
    assertEquals(await removal(probe, path), [{ what: "delete", path }]);
    assertEquals(await changes(probe, `ln -s /etc/passwd ${path}`, "symlink"), [
      { what: "symlink", path },
    ]);
    assertEquals(await removal(probe, path), [{ what: "delete", path }]);
    const linked = await changes(probe, `echo x >${folder}/a; ln ${folder}/a ${path}`, "link");
    assertEquals(ofOthers(linked, `${folder}/a`), [{ what: "link", path }]);
  });
});

sensorTest("a watched tree tells files of its new directories, and what leaves it", async () => {
  await inFolder(async (folder) => {
    const tree = `${folder}/tree`;
    Deno.mkdirSync(tree);
    Deno.mkdirSync(`${folder}/out`);
    using probe = new Probe({
      kinds: ["change"],
      watches: [{ type: "tree", path: tree, wants: "changes" }],
    });
    assertEquals(await changes(probe, `mkdir ${tree}/new`, "create"), [
      { what: "create", path: `${tree}/new` },
    ]);
    assertEquals(await changes(probe, `echo x >${tree}/new/f`, "write"), [
      { what: "create", path: `${tree}/new/f` },
      { what: "write", path: `${tree}/new/f` },
    ]);
    assertEquals(await changes(probe, `mv ${tree}/new/f ${folder}/out/f`, "rename"), [
      { what: "rename", path: `${folder}/out/f`, old: `${tree}/new/f` },
    ]);
    assertEquals(await changes(probe, `mv ${folder}/out/f ${tree}/g`, "rename"), [
      { what: "rename", path: `${tree}/g` },
    ]);
  });
});

sensorTest("opens are not waited for where changes alone are wanted", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/secret`;
    Deno.writeTextFileSync(path, "x");
    using probe = new Probe({
      kinds: ["open", "change"],
      watches: [{ type: "file", path, wants: "changes" }],
    });
    await run("cat", [path]);
    await changes(probe, `echo >>${path}`, "write");
    assertEquals(probe.opens().length, 0);
    assertEquals(probe.watchStats().seen, 0);
    probe.set({ kinds: ["open"], watches: [{ type: "file", path }] });
    const { pid } = await run("cat", [path]);
    probe.until(() => probe.opens(pid).length > 0);
    const before = changesOf(probe).length;
    await run("chmod", ["600", path]);
    const { pid: later } = await run("cat", [path]);
    probe.until(() => probe.opens(later).length > 0);
    assertEquals(changesOf(probe).length, before);
  });
});

sensorTest("every change that was seen is submitted, filtered, or counted as lost", async () => {
  await inFolder(async (folder) => {
    using probe = new Probe({
      kinds: ["change"],
      watches: [{ type: "children", path: folder, wants: "changes" }],
    });
    const script =
      `i=0; while [ $i -lt 500 ]; do : >${folder}/$i; rm ${folder}/$i; i=$((i+1)); done`;
    await run("/bin/sh", ["-c", script.replace("rm ", "command -p rm ")]);
    const isLast = (record: RecordView) => {
      const { what, path } = describe(record);
      return what === "delete" && path === `${folder}/499`;
    };
    probe.until(() => changesOf(probe).some(isLast));
    // A change is told before it is counted.
    const counted = (): readonly [seen: number, outcomes: number, submitted: number] => {
      const row = present(probe.sensor.stats().find(({ kind }) => kind === KINDS.change.id));
      const lost = row.ringFull + row.oversized + row.unreadable;
      return [row.seen, row.submitted + row.filtered + lost, row.submitted];
    };
    probe.until(() => {
      const [seen, outcomes, submitted] = counted();
      return seen === outcomes && submitted === changesOf(probe).length;
    });
    const [seen, outcomes] = counted();
    assertEquals(seen, outcomes);
    assertEquals(changesOf(probe).filter(({ pid }) => pid === 0).length, 0);
  });
});
