import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { isPinned, releasePinned } from "../../agent/enforce/enforcer.ts";
import { State } from "../../common/config/mod.ts";
import { canLoadSensor } from "../support/host.ts";
import { startHive } from "../support/hive.ts";
import { type Run, runImmune } from "../support/immune.ts";

Deno.test("uninstall refuses while a hive or an agent has the state, and takes nothing", async () => {
  const { state, hive } = await startHive();
  const purge = (): Promise<Run> => runImmune(["uninstall", "--purge", "--state", state]);
  try {
    const refused = await purge();
    assertEquals([refused.code, refused.stdout], [1, ""]);
    assertStringIncludes(refused.stderr, `Cannot lock "${state}/hive/store.db.lock"`);
    assertStringIncludes(refused.stderr, "[STATE_LOCKED]");
    assert((await Deno.stat(`${state}/hive/store.db`)).isFile);
    assert((await Deno.stat(`${state}/operator.token`)).isFile);
    await hive.stop();
    using held = State.open(state);
    const again = await purge();
    assertEquals(again.code, 1);
    assertStringIncludes(again.stderr, `Cannot lock "${held.paths.lock}"`);
  } finally {
    await hive.stop();
    await Deno.remove(state, { recursive: true });
  }
});

Deno.test({
  name: "sensor: uninstall refuses while enforcement is pinned, and names what releases it",
  ignore: !canLoadSensor(),
  fn: async () => {
    const state = await Deno.makeTempDir();
    // A set of pins, which has a number for a name, where they really are: below /sys.
    const pins = `/sys/fs/bpf/immune-test-${crypto.randomUUID()}`;
    await Deno.mkdir(`${pins}/1`, { recursive: true });
    try {
      const flags = ["--state", state, "--enforcement-pin-path", pins];
      const refused = await runImmune(["uninstall", "--purge", ...flags]);
      assertEquals([refused.code, refused.stdout], [1, ""]);
      assertStringIncludes(refused.stderr, `pinned in "${pins}"`);
      assertStringIncludes(refused.stderr, "immune agent release");
      assertEquals(isPinned(pins), true);
      releasePinned(pins);
      assertEquals(isPinned(pins), false);
    } finally {
      releasePinned(pins);
      await Deno.remove(state, { recursive: true });
    }
  },
});
