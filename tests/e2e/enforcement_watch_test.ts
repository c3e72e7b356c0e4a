import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { AuditLog } from "../../common/audit/mod.ts";
import type { Alert } from "../../common/wire/mod.ts";
import { releasePinned } from "../../agent/enforce/mod.ts";
import { compile, compileSpeaker, tierTest } from "../support/enforcement.ts";
import { within } from "../support/eventually.ts";
import { bpfLeft, heldBpf } from "../support/held_bpf.ts";
import { immune, runImmune } from "../support/immune.ts";
import { Lines, START_WAIT_MS } from "../support/lines.ts";
import { inFolder, run } from "../support/probe.ts";

interface Watching {
  readonly child: Deno.ChildProcess;
  readonly alerts: Lines;
  readonly messages: Lines;
}

async function watch(...args: readonly string[]): Promise<Watching> {
  const child = immune(["watch", "--json", ...args]).spawn();
  const messages = new Lines(child.stderr);
  await messages.find((line) => line.startsWith("Watching"), { waitMs: START_WAIT_MS });
  return { child, alerts: new Lines(child.stdout), messages };
}

async function end({ child, alerts, messages }: Watching): Promise<void> {
  child.kill("SIGTERM");
  await messages.find((line) => line.startsWith("Stopped:"));
  await Promise.all([alerts.drain(), messages.drain(), child.status]);
}

tierTest("watch refuses by the policy of its file, tells what was verified, and keeps it", {
  tier: "signal",
  action: "exec",
  test: () =>
    inFolder(async (folder) => {
      const [runs, speaker] = [await compile("runs", folder), await compileSpeaker(folder)];
      const [policy, state] = [`${folder}/policy.toml`, `${folder}/state`];
      const entry = `[[entry]]\nname = "no speech"\naction = "exec"\nmode = "block"\n`;
      await Deno.writeTextFile(policy, `${entry}memory = true\n`, { mode: 0o600 });
      const args = ["--state", state, "--enforcement-policy", policy];
      const isVerdict = (line: string): boolean =>
        line.includes('"enforcement":') && line.includes(runs);
      const started = await watch(...args);
      const start = async (): Promise<string> =>
        (await run(runs, ["1", "memfd", speaker])).lines.join();
      try {
        assertEquals(await start(), "refused 0 killed 1 ran 0 bytes 0");
        const alert = JSON.parse(await started.alerts.find(isVerdict)) as Alert;
        assertEquals(alert.rule.title, "Killed at exec: no speech");
        assertEquals(alert.severity, "high");
        assertEquals(alert.enforcement?.tier, "signal");
        assertEquals(alert.enforcement?.verified, true);
        assertStringIncludes(alert.file?.path ?? "", "/memfd:copy");
        assertEquals(alert.process?.parent?.executable, runs);
        // Another policy by a signal; a bad one changes nothing.
        await Deno.writeTextFile(policy, `${entry}memory = false\n`);
        started.child.kill("SIGHUP");
        await started.messages.find((line) => line.includes('"memory" must be true'));
        assertEquals(await start(), "refused 0 killed 1 ran 0 bytes 0");
        await started.alerts.find(isVerdict);
        await Deno.writeTextFile(policy, `${entry}paths = ["/nowhere/x"]\n`);
        started.child.kill("SIGHUP");
        await started.messages.find((line) => line.includes("rules in force"));
        assertEquals(await start(), "refused 0 killed 0 ran 1 bytes 6");
      } finally {
        await end(started);
      }
      using audit = AuditLog.open(`${state}/agent/audit`);
      const [first] = audit.read({ limit: 10 }).entries;
      assertEquals([first?.action, first?.decision], ["enforcement.exec", "done"]);
      assertEquals(first?.detail?.["verified"], true);
      assertEquals(first?.actor.name, "no speech");
    }),
});

tierTest("capabilities says which tier holds here, and how each entry does", {
  tier: "signal",
  action: "exec",
  test: () =>
    inFolder(async (folder) => {
      const policy = `${folder}/policy.toml`;
      await Deno.writeTextFile(
        policy,
        `[[entry]]\nname = "by hash"\naction = "exec"\nsha256 = ["${"0".repeat(64)}"]\n`,
        { mode: 0o600 },
      );
      const args = ["agent", "capabilities", "--state", folder, "--enforcement-policy", policy];
      const { code, stdout, stderr } = await runImmune([...args, "--json"]);
      assertEquals([code, stderr], [0, ""]);
      const { sensor, tiers, entries } = JSON.parse(stdout);
      assert(sensor.some((row: { capability: string }) => row.capability === "dns"));
      for (const { state, reason } of tiers) assertEquals(state === "works", reason === "");
      assert(entries[0].limits.some((line: string) => line.includes("first run")), stdout);
      const shown = await runImmune(args);
      assertStringIncludes(shown.stdout, "TIER");
      assertStringIncludes(shown.stdout, "by hash");
    }),
});

tierTest("release takes away what a killed agent left pinned", {
  tier: "signal",
  action: "exec",
  test: () =>
    inFolder(async (folder) => {
      const [runs, speaker] = [await compile("runs", folder), await compileSpeaker(folder)];
      const pinPath = `/sys/fs/bpf/immune-test-${crypto.randomUUID()}`;
      const policy = `${folder}/policy.toml`;
      await Deno.writeTextFile(
        policy,
        `[[entry]]\nname = "p"\naction = "exec"\nmode = "block"\npaths = ["${speaker}"]\n`,
        { mode: 0o600 },
      );
      const pin = ["--state", `${folder}/state`, "--enforcement-pin-path", pinPath];
      const args = [...pin, "--enforcement-policy", policy];
      try {
        const started = await watch(...args, "--enforcement-when-agent-ends", "pinned");
        const held = await heldBpf(started.child.pid);
        started.child.kill("SIGKILL");
        await Promise.all([
          started.alerts.drain(),
          started.messages.drain(),
          started.child.status,
        ]);
        const start = async (): Promise<string> =>
          (await run(runs, ["1", "execve", speaker])).lines.join();
        assertEquals(await start(), "refused 0 killed 1 ran 0 bytes 0");
        const { code, stdout, stderr } = await runImmune(["agent", "release", ...pin, "--json"]);
        // A busy kernel may have some of them for longer than the verb waits, which it says then.
        if (code === 0) {
          const { programs, left } = JSON.parse(stdout);
          assertEquals([programs > 0, left], [true, 0]);
        } else assertStringIncludes(stderr, "the kernel still has");
        await within(30_000)("none is left", async () =>
          (await bpfLeft(held)).prog === 0 || undefined);
        assertEquals(await start(), "refused 0 killed 0 ran 1 bytes 6");
      } finally {
        releasePinned(pinPath);
      }
    }),
});
