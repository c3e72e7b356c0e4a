import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { CAPABILITIES, tryCapabilities } from "../../agent/sensors/capabilities.ts";
import { KernelSensor } from "../../agent/sensors/kernel.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { KINDS, RECORD_BYTES_MAX } from "../../common/record/table.ts";
import { SOURCE_BULK } from "../../common/record/values.ts";
import { kernelIsAtLeast } from "../support/host.ts";
import { inFolder, Probe, run, sensorTest } from "../support/probe.ts";

sensorTest("KernelSensor.signal() ends the process that was meant, and no other", async () => {
  using probe = new Probe({ kinds: ["exec", "fork", "exit"] });
  const child = new Deno.Command("/bin/sleep", { args: ["60"] }).spawn();
  const exec = () => probe.records.find((r) => r.kindId === KINDS.exec.id && r.pid === child.pid);
  probe.until(() => exec() !== undefined);
  const startTimeNs = exec()?.startTimeNs ?? 0n;
  const image = Deno.realPathSync("/bin/sleep");
  const { pid } = child;
  const refuse = (target: { pid: number; startTimeNs: bigint; image?: string }): string =>
    assertThrows(() => probe.sensor.signal(target, 15), ImmuneError).message;
  const other = /another process or program/;
  assert(other.test(refuse({ pid, startTimeNs: startTimeNs + 1n })));
  assert(other.test(refuse({ pid, startTimeNs: startTimeNs - 10_000_000_000n })));
  assert(other.test(refuse({ pid, startTimeNs, image: "/bin/other" })));
  assert(/not permitted/.test(refuse({ pid: 1, startTimeNs: 0n })));
  assert(/not permitted/.test(refuse({ pid: Deno.pid, startTimeNs })));
  probe.sensor.signal({ pid, startTimeNs, image }, 0);
  probe.sensor.signal({ pid, startTimeNs, image }, 15);
  assertEquals((await child.status).signal, "SIGTERM");
  assert(/not there/.test(refuse({ pid, startTimeNs })));
});

sensorTest("SensorControl.wake() ends a wait, from another thread", async () => {
  using sensor = KernelSensor.open();
  const control = new URL("../../agent/sensors/control.ts", import.meta.url).href;
  const code = `import { SensorControl } from "${control}";
const control = new SensorControl(${sensor.handle}n);
self.postMessage("ready");
self.onmessage = () => { control.wake(); self.close(); };`;
  const worker = new Worker(`data:application/typescript,${encodeURIComponent(code)}`, {
    type: "module",
  });
  await new Promise<void>((resolve) => worker.onmessage = () => resolve());
  const policy = { kinds: [], wideOpen: false, identity: false, wakeIntervalUs: 0, watches: [] };
  assertEquals(sensor.policy(policy), 0);
  const view = new Uint8Array(1 << 20);
  while (sensor.poll(view, 0) > 0);
  const start = performance.now();
  worker.postMessage("wake");
  assertEquals(sensor.poll(view, 30_000), 0);
  assert(performance.now() - start < 20_000, "the wait ran to its end");
  worker.terminate();
});

sensorTest("KernelSensor.open() says what is missing, no kernel types", () => {
  const open = () => KernelSensor.open({ btf: "/nowhere/vmlinux" });
  const error = assertThrows(open, ImmuneError, "/nowhere/vmlinux");
  assertEquals([error.code, error.message.includes("\n")], ["SENSOR_UNAVAILABLE", false]);
});

sensorTest("KernelSensor refuses a small view and a closed sensor, closing twice is fine", () => {
  const sensor = KernelSensor.open();
  assertThrows(() => sensor.poll(new Uint8Array(RECORD_BYTES_MAX - 8), 0), ImmuneError);
  sensor.close();
  sensor.close();
  assertThrows(() => sensor.stats(), ImmuneError, "closed");
});

sensorTest("KernelSensor.policy() counts what it could not watch, and sets the rest", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/secret`;
    Deno.writeTextFileSync(path, "x");
    using probe = new Probe({});
    const refused = probe.sensor.policy({
      kinds: ["open"],
      wideOpen: false,
      identity: false,
      wakeIntervalUs: 0,
      watches: [
        { type: "file", path: "/proc/version" },
        { type: "file", path },
        { type: "file", path: folder },
      ],
    });
    assertEquals(refused, 2);
    assert(probe.sensor.problem().includes(folder), probe.sensor.problem());
    const { pid } = await run("cat", [path]);
    probe.until(() => probe.opens(pid).length === 1);
  });
});

sensorTest("KernelSensor.tables() counts what tables hold, which stats() leaves out", async () => {
  using probe = new Probe({ kinds: ["fork"] });
  const held = (): number =>
    probe.sensor.tables().filter((row) => row.source < SOURCE_BULK)
      .reduce((sum, row) => sum + row.submitted, 0);
  const before = held();
  await run("true", []);
  assert(held() > before);
  assertEquals(probe.sensor.stats().filter((row) => row.kind === 0), []);
  for (const row of probe.sensor.tables()) {
    const { submitted, filtered, ringFull, oversized, unreadable, folded } = row;
    assertEquals(row.seen, submitted + filtered + ringFull + oversized + unreadable + folded);
  }
});

sensorTest("KernelSensor.programs() names each program, and says which are attached", () => {
  using probe = new Probe({ kinds: ["flow"] });
  const programs = new Map(probe.sensor.programs().map((row) => [row.name, row]));
  const isAttached = (name: string) => programs.get(name)?.attached;
  assertEquals([isAttached("on_exec"), isAttached("on_socket_state")], [true, true]);
  assertEquals([isAttached("on_signal"), isAttached("on_dns_answer")], [false, false]);
  probe.set({ kinds: ["signal", "dns"] });
  const later = probe.sensor.programs().filter((row) => row.attached).map((row) => row.name);
  assert(later.includes("on_signal") && later.includes("on_dns_answer"), later.join());
  assert(!later.includes("on_socket_state"));
});

/** What this kernel lacks (specs/kernels.md), each left out with its reason. */
function lackedHere(): readonly string[] {
  const hasRingOpen = kernelIsAtLeast(6, 2) && !kernelIsAtLeast(7, 3);
  return [...(kernelIsAtLeast(5, 16) ? [] : ["bloom"]), ...(hasRingOpen ? [] : ["ring_open"])];
}

sensorTest(
  "tryCapabilities() finds that all works that this kernel has, and why the rest does not",
  () => {
    const lacked = lackedHere();
    for (const { capability, state, reason } of tryCapabilities()) {
      if (lacked.includes(capability)) {
        assertEquals([capability, state], [capability, "refused"]);
        assertMatch(reason, /^This kernel /);
      } else assertEquals([capability, state, reason], [capability, "works", ""]);
    }
    assertEquals(tryCapabilities().map(({ capability }) => capability), [...CAPABILITIES]);
  },
);
