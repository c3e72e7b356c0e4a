import { assertEquals, assertStringIncludes } from "@std/assert";
import { isPinned, releasePinned } from "../agent/enforce/enforcer.ts";
import { loadConfig } from "../common/config/load.ts";
import { State } from "../common/config/mod.ts";
import { NO_OWN_THINGS } from "../common/herd/mod.ts";
import { blocking, enforcementOf, tierTest } from "../tests/support/enforcement.ts";
import { inFolder, Probe, run, sensorTest } from "../tests/support/probe.ts";
import { DURABLE_BYTES } from "./delivery.ts";
import { OrderedSensor } from "./ordered_sensor.ts";

const RULE = "title: T\nlogsource: { category: process_creation, product: linux }\n" +
  "detection: { s: { Image: /none }, condition: s }\n";
/** A stop that waits for so long waits for what it must not, in milliseconds. */
const PATIENCE_MS = 60_000;

function sensorIn(
  folder: string,
  fetchPack: () => Promise<Uint8Array>,
  {
    pinPath = `/sys/fs/bpf/immune-test-${crypto.randomUUID()}`,
    onWarning = () => {},
  }: { readonly pinPath?: string; readonly onWarning?: (message: string) => void } = {},
): OrderedSensor {
  const flags = {
    state: `${folder}/state`,
    rules: [`${folder}/rules.yml`],
    "enforcement-pin-path": pinPath,
  };
  const { values: config } = loadConfig({ flags, environment: {} });
  using state = State.open(config.state.dir);
  state.hostId();
  return new OrderedSensor({
    config,
    run: { journal: false, rules: true, onReady: () => {}, onWarning },
    bootId: "a".repeat(32),
    durable: new SharedArrayBuffer(DURABLE_BYTES),
    fetchPack,
    fetchSet: () => Promise.reject(new Error("none")),
    own: NO_OWN_THINGS,
    onAntibodies: () => {},
    onStarted: () => {},
  }, { pack: null, policy: null, antibodies: { fleet: null, host: null } });
}

/** What it comes to, or "late". */
async function inTime<T>(promise: Promise<T>): Promise<T | "late"> {
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), PATIENCE_MS);
  const first = await Promise.race([promise, late.promise]);
  clearTimeout(timer);
  return first;
}

sensorTest(
  "OrderedSensor stops while rules are compiled, and what is compiled is kept",
  async () => {
    await inFolder(async (folder) => {
      const rules = `${folder}/rules.yml`;
      Deno.writeTextFileSync(rules, RULE);
      const sensor = sensorIn(folder, () => Promise.reject(new Error("none")));
      await sensor.start({ blocks: true });
      // Who reads a pipe waits for who writes into it.
      Deno.removeSync(rules);
      await run("mkfifo", [rules]);
      const ordered = sensor.acts.rules(null);
      const stopped = await inTime(sensor.acts.sensor("stop"));
      const observing = await inTime(sensor.blocking(false));
      await Deno.writeTextFile(rules, RULE);
      assertStringIncludes(stopped, "sensor detached: ");
      assertEquals(observing, "the sensor is off, nothing is refused");
      assertStringIncludes(await ordered, "are kept: the sensor is off");
      assertEquals(await sensor.acts.sensor("drill"), "drill: the sensor is off already");
      await sensor.stop();
    });
  },
);

sensorTest("OrderedSensor does not attach for a lift that a stop overtook", async () => {
  await inFolder(async (folder) => {
    const rules = `${folder}/rules.yml`;
    await run("mkfifo", [rules]);
    const sensor = sensorIn(folder, () => Promise.reject(new Error("none")));
    const lifted = sensor.acts.sensor("lift").catch((error: Error) => error.message);
    const stopped = await inTime(sensor.acts.sensor("stop"));
    await Deno.writeTextFile(rules, RULE);
    assertEquals(stopped, "sensor is detached: it was off already");
    assertStringIncludes(await lifted, "stopped while its rules were compiled");
    await sensor.stop();
  });
});

tierTest("OrderedSensor without a policy tells what is pinned, and ends it by each order to", {
  tier: "signal",
  action: "exec",
  test: () =>
    inFolder(async (folder) => {
      Deno.writeTextFileSync(`${folder}/rules.yml`, RULE);
      const pinPath = `/sys/fs/bpf/immune-test-${crypto.randomUUID()}`;
      const warnings: string[] = [];
      const sensor = sensorIn(folder, () => Promise.reject(new Error("none")), {
        pinPath,
        onWarning: (message) => warnings.push(message),
      });
      using probe = new Probe({ kinds: [] });
      const pin = (): void => {
        const policy = blocking("exec", `paths = ["${folder}/none"]`);
        enforcementOf(probe, { policy, pinPath })[Symbol.dispose]();
        assertEquals(isPinned(pinPath), true);
      };
      try {
        pin();
        await sensor.start({ blocks: true });
        assertStringIncludes(warnings.join("\n"), `left pinned in "${pinPath}" goes on refusing`);
        assertEquals(await sensor.blocking(false), "the kernel refuses nothing");
        assertEquals(isPinned(pinPath), false);
        pin();
        assertStringIncludes(await sensor.acts.sensor("stop"), "sensor detached: ");
        assertEquals(isPinned(pinPath), false);
        // Off already.
        pin();
        assertEquals(
          (await sensor.acts.sensor("stop")).replace(/\d+/, "N"),
          "sensor detached: N programs are gone from the kernel",
        );
        pin();
        sensor.stayOff();
        assertEquals(isPinned(pinPath), false);
        assertStringIncludes(warnings.at(-1) ?? "", "the kill switch is on");
        // What cannot be taken away is not said to be released.
        Deno.mkdirSync(`${pinPath}/1/folder`, { recursive: true });
        sensor.stayOff();
        assertStringIncludes(warnings.at(-1) ?? "", "it goes on refusing");
        Deno.removeSync(`${pinPath}/1/folder`);
        await sensor.stop();
      } finally {
        releasePinned(pinPath);
      }
    }),
});
