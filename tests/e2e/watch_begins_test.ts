import { assertEquals } from "@std/assert";
import { compileRules } from "../../common/sigma/mod.ts";
import type { Alert } from "../../common/wire/mod.ts";
import { immune } from "../support/immune.ts";
import { Lines, START_WAIT_MS } from "../support/lines.ts";
import { inFolder, run, sensorTest } from "../support/probe.ts";

// For guests, where nothing is said about how fast it is (watch_test.ts).
sensorTest("immune watch begins, and a real process raises an alert", async () => {
  await inFolder(async (folder) => {
    const mark = crypto.randomUUID();
    const text = "title: T\nid: 8f6f6a36-4f2e-4d0f-9a5c-5c2e1c0f5b11\nlevel: high\n" +
      "logsource: { category: process_creation, product: linux }\n" +
      `detection: { s: { CommandLine|contains: '${mark}' }, condition: s }\n`;
    const [rule] = compileRules([{ path: "a.yml", text }]).rules;
    await Deno.mkdir(`${folder}/rules`);
    await Deno.writeTextFile(`${folder}/rules/a.yml`, text);
    const args = ["--json", "--state", `${folder}/state`, "--rules", `${folder}/rules`];
    const child = immune(["watch", ...args]).spawn();
    const [alerts, messages] = [new Lines(child.stdout), new Lines(child.stderr)];
    try {
      await messages.find((line) => line.startsWith("Watching"), { waitMs: START_WAIT_MS });
      const { pid } = await run("/bin/sh", ["-c", `: ${mark}`]);
      const alert = JSON.parse(await alerts.find((line) => line.includes(mark))) as Alert;
      assertEquals([alert.rule.id, alert.process?.pid], [rule?.id, pid]);
    } finally {
      child.kill("SIGINT");
      await Promise.all([alerts.drain(), messages.drain(), child.status]);
    }
  });
});
