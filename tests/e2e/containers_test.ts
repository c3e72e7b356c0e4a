import { assert, assertEquals } from "@std/assert";
import { cgroup2Mount, readFact } from "../../agent/sensors/facts.ts";
import { KINDS } from "../../common/record/table.ts";
import { compileRules } from "../../common/sigma/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { pathOf, present, Probe, run, sensorTest } from "../support/probe.ts";

const ID = "0123456789abcdef".repeat(4);
/** Folders of cgroups as engines name them, and the container that each is. */
const FORMS: Readonly<Record<string, string>> = {
  [`docker/${ID}`]: ID,
  [`system.slice/docker-${ID}.scope`]: ID,
  [`kubepods.slice/kubepods-burstable.slice/cri-containerd-${ID}.scope`]: ID,
  [`kubepods/besteffort/pod01234567-89ab-cdef-0123-456789abcdef/${ID}`]: ID,
  [`crio-${ID}.scope`]: ID,
  [`machine.slice/libpod-${ID}.scope/container`]: ID,
  "machine.slice/systemd-nspawn@web.service/payload": "web",
  "machine.slice/machine-web.scope": "web",
  "lxc.payload.web": "web",
  "user.slice/user-1000.slice/session-2.scope": "",
  [`system.slice/x${ID.slice(0, 62)}.service`]: "",
};

function mount(): string {
  const text = new TextDecoder().decode(readFact("/proc/self/mountinfo"));
  return present(cgroup2Mount(text));
}

/** Runs a test in a cgroup of its own; it and those below are gone afterwards. */
async function inCgroup(test: (root: string) => Promise<void>): Promise<void> {
  const root = `${mount()}/immune-test-${crypto.randomUUID()}`;
  Deno.mkdirSync(root);
  try {
    await test(root);
  } finally {
    await run("/usr/bin/find", [root, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]);
  }
}

sensorTest(
  "the container of a process is known by its cgroup, before its first program",
  async () => {
    await inCgroup(async (root) => {
      const text = "title: T\nlogsource: { category: process_creation, product: linux }\n" +
        `detection: { s: { ContainerId: '${ID}', CommandLine|endswith: mark }, condition: s }\n`;
      const engine = await Engine.create();
      engine.publish(compileRules([{ path: "a.yml", text }]).image);
      using probe = new Probe({ kinds: ["exec", "fork", "exit"] });
      for (const [form, container] of Object.entries(FORMS)) {
        const folder = `${root}/${form}`;
        Deno.mkdirSync(folder, { recursive: true });
        const script = `echo $$ >${folder}/cgroup.procs && exec /bin/true mark`;
        const { pid } = await run("/bin/sh", ["-c", script]);
        const last = () =>
          probe.records.findLast((record) => record.pid === pid && record.kindId === KINDS.exec.id);
        probe.until(() => new TextDecoder().decode(last()?.slot("exec", "image")).endsWith("true"));
        const exec = present(last());
        const named = probe.records.findIndex((record) =>
          record.kindId === KINDS.cgroup.id && record.cgroupId === exec.cgroupId
        );
        assert(named >= 0 && named < probe.records.indexOf(exec), form);
        const record = present(probe.records[named]);
        const decode = (slot: "path" | "container") =>
          new TextDecoder().decode(record.slot("cgroup", slot));
        assertEquals(decode("path"), folder.slice(mount().length), form);
        assertEquals(decode("container"), container, form);
        engine.batch.set(record.bytes);
        engine.scan(record.bytes.length);
        engine.batch.set(exec.bytes);
        assertEquals(engine.scan(exec.bytes.length).length, container === ID ? 1 : 0, form);
        assertEquals(engine.container(exec.cgroupId), container === "" ? undefined : container);
      }
    });
  },
);

sensorTest("a cgroup that somebody moved into is named before his next open", async () => {
  await inCgroup(async (root) => {
    using probe = new Probe({ kinds: ["open"], wideOpen: true });
    // No program starts and none ends there: the open is the first that is told of the cgroup.
    const script = `echo $$ >${root}/cgroup.procs; : <${root}/cgroup.events`;
    const { pid } = await run("/bin/sh", ["-c", script]);
    const at = (): number =>
      probe.records.findIndex((record) =>
        record.pid === pid && record.kindId === KINDS.open.id &&
        pathOf(record).endsWith("/cgroup.events")
      );
    probe.until(() => at() >= 0);
    const opened = present(probe.records[at()]);
    const named = probe.records.findIndex((record) =>
      record.kindId === KINDS.cgroup.id && record.cgroupId === opened.cgroupId
    );
    assert(named >= 0 && named < at(), `named at ${named}, opened at ${at()}`);
  });
});
