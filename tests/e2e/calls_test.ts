import { assert, assertEquals } from "@std/assert";
import type { RecordView } from "../../common/record/decode.ts";
import { KINDS } from "../../common/record/table.ts";
import { ACCESSES, ACTS } from "../../common/record/values.ts";
import { kernelIsAtLeast } from "../support/host.ts";
import { runLabelled } from "../support/labelled.ts";
import { compile, inFolder, present, Probe, run, sensorTest } from "../support/probe.ts";

const ROLE = 5;
/** The helper lies at the same addresses each time it runs. */
const SAME_PLACES = ["setarch", ["--addr-no-randomize"]] as const;

/** A row of `struct immune_label`: the record's process has the role from now on. */
function labelOf(record: RecordView): Uint8Array<ArrayBuffer> {
  const row = new DataView(new ArrayBuffer(32));
  row.setBigUint64(0, record.startTimeNs, true);
  row.setBigUint64(8, 7n, true);
  row.setBigUint64(16, record.timeNs, true);
  row.setUint32(24, record.pid, true);
  row.setUint32(28, ROLE, true);
  return new Uint8Array(row.buffer);
}

function records(probe: Probe, kind: "access" | "act", pid: number): readonly RecordView[] {
  return probe.records.filter((record) => record.kindId === KINDS[kind].id && record.pid === pid);
}

function isExecOf(record: RecordView, image: string): boolean {
  return record.kindId === KINDS.exec.id &&
    new TextDecoder().decode(record.slot("exec", "image")) === image;
}

/** Whether this kernel shows a program what lies at an address: `bpf_find_vma`, Linux 5.17. */
function seesMemory(): boolean {
  return kernelIsAtLeast(5, 17);
}

/**
 * Whether a process may write its own read-only memory through its file: since Linux 6.12 a kernel
 * may keep that for debuggers (PROC_MEM_FORCE_PTRACE). A byte is written as it is.
 */
function writesReadOnly(): boolean {
  const place = /^([0-9a-f]+)-\S+ r--p/m.exec(Deno.readTextFileSync("/proc/self/maps"))?.[1];
  if (place === undefined) return false;
  using memory = Deno.openSync("/proc/self/mem", { read: true, write: true });
  const byte = new Uint8Array(1);
  try {
    memory.seekSync(parseInt(place, 16), Deno.SeekMode.Start);
    memory.readSync(byte);
    memory.seekSync(parseInt(place, 16), Deno.SeekMode.Start);
    return memory.writeSync(byte) === 1;
  } catch {
    return false;
  }
}

/** Runs the helper; the record of it, which must be one. */
async function reached(
  probe: Probe,
  kind: "access" | "act",
  args: readonly string[],
): Promise<RecordView> {
  const { pid } = await run(SAME_PLACES[0], [...SAME_PLACES[1], ...args]);
  probe.until(() => records(probe, kind, pid).length > 0);
  const found = records(probe, kind, pid);
  assertEquals(found.length, 1);
  return present(found[0]);
}

sensorTest(
  "reaching into a guarded process, or out of a session, is told; else not",
  async () => {
    await inFolder(async (folder) => {
      const reach = await compile("reach", folder);
      using probe = new Probe({ kinds: ["exec", "access"], calls: true });
      // Not as a child of this process, which has the sensor: those are guarded too.
      const start = async () => {
        const child = new Deno.Command("unshare", {
          args: ["--fork", "--kill-child", SAME_PLACES[0], ...SAME_PLACES[1], reach, "0", "wait"],
          stdout: "piped",
        }).spawn();
        const reader = child.stdout.getReader();
        await reader.read();
        const found = () =>
          probe.records.find((record) => isExecOf(record, reach) && record.parentPid === child.pid);
        probe.until(() => found() !== undefined);
        const exec = present(found());
        const end = async () => {
          child.kill("SIGKILL");
          await child.status;
          await reader.cancel();
        };
        return { pid: exec.pid, exec, end };
      };
      const [guarded, plain] = [await start(), await start()];
      try {
        const { pid, exec } = guarded;
        assertEquals(probe.sensor.label(labelOf(exec)), 1);
        const ways = {
          read: ACCESSES.read,
          write: ACCESSES.write,
          seize: ACCESSES.seize,
          mem: ACCESSES.read,
          environ: ACCESSES.environment,
          descriptor: ACCESSES.descriptor,
        };
        for (const [how, way] of Object.entries(ways)) {
          const record = await reached(probe, "access", [reach, String(pid), how]);
          assertEquals(record.number("access", "access"), way, how);
          assertEquals(record.number("access", "target_pid"), pid, how);
          assertEquals(record.number("access", "target_role"), ROLE, how);
        }
        const before = probe.records.filter(({ kindId }) => kindId === KINDS.access.id).length;
        for (const how of Object.keys(ways)) {
          await run(SAME_PLACES[0], [...SAME_PLACES[1], reach, String(plain.pid), how]);
        }
        await run(reach, [String(pid), "status"]);
        // The last one comes behind what the others would have.
        await reached(probe, "access", [reach, String(pid), "environ"]);
        const after = probe.records.filter(({ kindId }) => kindId === KINDS.access.id).length;
        assertEquals(after, before + 1);
        for (const [how, way] of Object.entries(ways)) {
          const seen = probe.records.length;
          const args = [SAME_PLACES[0], ...SAME_PLACES[1], reach, String(plain.pid), how];
          await runLabelled({ probe }, { role: ROLE, session: 9n, script: `"$@"`, args });
          const told = () =>
            probe.records.slice(seen).find(({ kindId }) => kindId === KINDS.access.id);
          probe.until(() => told() !== undefined);
          const record = present(told());
          assertEquals([record.role, record.number("access", "access")], [ROLE, way], how);
          assertEquals(record.number("access", "target_pid"), plain.pid, how);
          assertEquals(record.number("access", "target_role"), 0, how);
        }
      } finally {
        await guarded.end();
        await plain.end();
      }
    });
  },
);

sensorTest("own memory written through its file is told, by each name of it", async () => {
  await inFolder(async (folder) => {
    const reach = await compile("reach", folder);
    using probe = new Probe({ kinds: ["act"], calls: true });
    const task = (pid: number) => `/proc/${pid}/task/${pid}/mem`;
    const ways = [
      [["self", "own"], (pid: number) => `/proc/${pid}/mem`],
      [["0", "own-number"], (pid: number) => `/proc/${pid}/mem`],
      [["thread-self", "own"], task],
      [["0", "own-task"], task],
    ] as const;
    for (const [args, path] of ways) {
      const record = await reached(probe, "act", [reach, ...args]);
      assertEquals(record.number("act", "act"), ACTS.executable_memory);
      assertEquals(new TextDecoder().decode(record.slot("act", "path")), path(record.pid));
    }
  });
}, { isPossible: writesReadOnly() });

sensorTest("acts with a privilege are told, with what they were about", async () => {
  await inFolder(async (folder) => {
    const reach = await compile("reach", folder);
    using probe = new Probe({ kinds: ["act"], calls: true });
    const mapped = await reached(probe, "act", [reach, "0", "memfd"]);
    assertEquals(mapped.number("act", "act"), ACTS.executable_memory);
    assert(mapped.has("memory_only"));
    assertEquals(new TextDecoder().decode(mapped.slot("act", "path")), "/memfd:library");
    // Private memory, shared memory without a name and with one, and pages that nobody wrote before.
    const names = { mprotect: "", shared: "", filled: "/memfd:filled", front: "", behind: "" };
    for (const [how, name] of seesMemory() ? Object.entries(names) : []) {
      const turned = await reached(probe, "act", [reach, "0", how]);
      assertEquals(turned.number("act", "act"), ACTS.executable_memory, how);
      assertEquals(new TextDecoder().decode(turned.slot("act", "path")), name, how);
      assertEquals(turned.has("memory_only"), name !== "", how);
    }
    // What is written by one name is run by another.
    const pathOf = (record: RecordView) => new TextDecoder().decode(record.slot("act", "path"));
    const told = async (args: readonly string[]): Promise<RecordView> => {
      const record = await reached(probe, "act", [reach, ...args]);
      assertEquals(record.number("act", "act"), ACTS.executable_memory, args.join(" "));
      return record;
    };
    assertEquals(pathOf(await told(["0", "view"])), "");
    assert(pathOf(await told(["/dev/shm", "twice"])).startsWith("/dev/shm/#"));
    // Once a program, but each way of its own.
    const both = await run(reach, ["0", "both"]);
    probe.until(() => records(probe, "act", both.pid).length > 1);
    assertEquals(records(probe, "act", both.pid).map((record) => record.has("memory_only")), [
      false,
      true,
    ]);
    if (Deno.build.arch === "x86_64") {
      const mapped = await told(["0", "int80"]);
      assert(mapped.has("compat"));
      assertEquals(mapped.number("act", "argument"), 7);
    }
    const counter = await reached(probe, "act", [reach, "0", "perf"]);
    assertEquals(counter.number("act", "act"), ACTS.perf_event);
    assertEquals(counter.number("act", "argument"), 1);

    const script = `mount -t tmpfs none ${folder} && umount ${folder}`;
    const { pid } = await run("unshare", ["--mount", "/bin/sh", "-c", script]);
    const CLONE_NEWNS = 0x20000;
    const unshared = () =>
      records(probe, "act", pid).find((record) => record.number("act", "act") === ACTS.unshare);
    probe.until(() => unshared() !== undefined);
    assertEquals(unshared()?.number("act", "argument"), CLONE_NEWNS);
    const outside = Number(/\d+/.exec(Deno.readLinkSync("/proc/self/ns/mnt"))?.[0]);
    const inside = unshared()?.number("act", "mount_namespace");
    assert(inside !== outside && inside !== 0);
    const of = (what: number) =>
      probe.records.find((record) =>
        record.kindId === KINDS.act.id && record.number("act", "act") === what &&
        record.number("act", "mount_namespace") === inside &&
        new TextDecoder().decode(record.slot("act", "path")) === folder
      );
    probe.until(() => of(ACTS.mount) !== undefined && of(ACTS.unmount) !== undefined);
    assert(of(ACTS.mount)?.has("unresolved"));
  });
});

sensorTest(
  "a process that is reached into from a pid namespace is told, by the number there",
  async () => {
    await inFolder(async (folder) => {
      const reach = await compile("reach", folder);
      using probe = new Probe({ kinds: ["exec", "access"], calls: true });
      const same = [SAME_PLACES[0], ...SAME_PLACES[1], reach];
      const child = new Deno.Command("unshare", {
        args: ["--pid", "--fork", "--kill-child", ...same, "0", "wait"],
        stdout: "piped",
      }).spawn();
      const reader = child.stdout.getReader();
      try {
        await reader.read();
        // The first one of its namespace: number 1 there.
        const started = () => probe.records.find((record) => isExecOf(record, reach));
        probe.until(() => started() !== undefined);
        const exec = present(started());
        assertEquals(probe.sensor.label(labelOf(exec)), 1);
        const inside = ["--pid", "--target", String(exec.pid), ...same, "1"];
        for (
          const [how, way] of [
            ["read", ACCESSES.read],
            ["write", ACCESSES.write],
            ["seize", ACCESSES.seize],
          ] as const
        ) {
          await run("nsenter", [...inside, how]);
          const found = () =>
            probe.records.filter((record) =>
              record.kindId === KINDS.access.id &&
              record.number("access", "target_pid") === exec.pid &&
              record.number("access", "access") === way
            );
          probe.until(() => found().length > 0);
          assertEquals(found().length, 1, how);
        }
      } finally {
        child.kill("SIGKILL");
        await child.status;
        await reader.cancel();
      }
    });
  },
);

sensorTest(
  "an act of each kind is told: namespaces, roots, programs of the kernel, modules",
  async () => {
    await inFolder(async (folder) => {
      const reach = await compile("reach", folder);
      using probe = new Probe({ kinds: ["act"], calls: true });
      const actOf = async (
        act: keyof typeof ACTS,
        args: readonly string[],
      ): Promise<RecordView> => {
        const { pid } = await run(reach, args);
        const found = () =>
          records(probe, "act", pid).find((record) => record.number("act", "act") === ACTS[act]);
        probe.until(() => found() !== undefined);
        return present(found());
      };
      const [CLONE_NEWUTS, CLONE_NEWIPC] = [0x0400_0000, 0x0800_0000];
      const cloned = await run(reach, ["0", "clone"]);
      probe.until(() => records(probe, "act", cloned.pid).length > 0);
      const [apart] = records(probe, "act", cloned.pid);
      assertEquals(apart?.number("act", "act"), ACTS.unshare);
      assertEquals(apart?.number("act", "argument"), CLONE_NEWUTS | CLONE_NEWIPC);
      assertEquals(String(apart?.number("act", "object")), cloned.lines[0]);

      const entered = await actOf("setns", ["0", "setns"]);
      assertEquals(entered.number("act", "argument"), CLONE_NEWUTS);
      const own = /\d+/.exec(Deno.readLinkSync("/proc/self/ns/uts"))?.[0];
      assertEquals(String(entered.number("act", "object")), own);
      const PROG_LOAD = 5;
      assertEquals((await actOf("bpf", ["0", "bpf"])).number("act", "argument"), PROG_LOAD);
      const root = await actOf("chroot", [folder, "chroot"]);
      assertEquals(new TextDecoder().decode(root.slot("act", "path")), folder);
      const pivot = await actOf("pivot_root", [folder, "pivot"]);
      assertEquals(new TextDecoder().decode(pivot.slot("act", "path")), ".");
      const outside = Number(/\d+/.exec(Deno.readLinkSync("/proc/self/ns/mnt"))?.[0]);
      assert(pivot.number("act", "mount_namespace") !== outside);

      // Of mounts by descriptor: flags as mount(2) has them, and the device that is mounted.
      const [MS_RDONLY, MS_NODEV, MS_REMOUNT, OPEN_TREE_CLONE] = [1, 4, 32, 1];
      const again = await run(reach, [folder, "remount"]);
      const mounts = (pid: number) =>
        records(probe, "act", pid).filter((record) => record.number("act", "act") === ACTS.mount);
      probe.until(() => mounts(again.pid).length > 2);
      const remounted = present(mounts(again.pid)[2]);
      assertEquals(remounted.number("act", "argument"), MS_REMOUNT | MS_RDONLY);
      assert(remounted.number("act", "object") !== 0);
      const detached = await actOf("mount", ["0", "detached"]);
      assertEquals(detached.number("act", "argument"), MS_NODEV);
      assert(detached.number("act", "object") !== 0);
      const copied = await run(reach, [folder, "tree"]);
      probe.until(() => mounts(copied.pid).length > 0);
      // One that was opened alone is no mount.
      const trees = mounts(copied.pid);
      assertEquals(trees.map((tree) => tree.number("act", "argument")), [OPEN_TREE_CLONE]);
      assertEquals(new TextDecoder().decode(trees[0]?.slot("act", "path")), folder);
    });
  },
);

sensorTest(
  "a module that the kernel refused is told with its error, of whom it may obey alone",
  async () => {
    await inFolder(async (folder) => {
      const reach = await compile("reach", folder);
      using probe = new Probe({ kinds: ["act"], calls: true });
      const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", reach, "0", "module"];
      const others = [
        await run("setpriv", nobody),
        // Root of a user namespace of its own.
        await run("unshare", ["--user", "--map-root-user", reach, "0", "module"]),
      ];
      const { pid, lines: [error] } = await run(reach, ["0", "module"]);
      const loads = (of: number) =>
        records(probe, "act", of).filter((record) =>
          record.number("act", "act") === ACTS.module_load
        );
      probe.until(() => loads(pid).length > 0);
      assertEquals(loads(pid).map((record) => String(record.number("act", "argument"))), [error]);
      assertEquals(others.flatMap((other) => loads(other.pid)), []);
      assertEquals(others.map(({ lines }) => lines.length), [1, 1]);
    });
  },
);

sensorTest("no program hangs on system calls while nobody wants what it tells", () => {
  using probe = new Probe({ kinds: ["exec", "access", "signal"] });
  const attached = () =>
    probe.sensor.programs().filter((row) => row.attached).map(({ name }) => name);
  assert(
    !attached().some((name) => /^on_(call|open|old_open|identity)_exit$/.test(name)),
  );
  probe.set({ kinds: ["act"], calls: true });
  assert(attached().includes("on_call_exit"));
  probe.set({ kinds: ["access"] });
  assert(!attached().includes("on_call_exit"));
});
