import { assertEquals, assertMatch } from "@std/assert";
import { statePaths } from "../../common/config/mod.ts";
import { IndicatorStore } from "../../common/indicators/mod.ts";
import { canLoadSensor } from "../support/host.ts";
import { type RunningUp, runVerb, startUp } from "../support/up.ts";
import { within } from "../support/eventually.ts";

/** Waits for what takes a while. */
const eventually = within(180_000);
const ignore = !canLoadSensor();
/** In no other process's arguments. */
const MARK = crypto.randomUUID().replaceAll("-", "");
const RULE = `title: A marked shell
logsource: { product: linux, category: process_creation }
detection:
  s: { CommandLine|contains: ${MARK}-sigma }
  condition: s
`;

interface AlertLine {
  readonly id: string;
  readonly rule: { readonly id: string };
  readonly process?: { readonly command_line?: string };
}

async function alerts(up: RunningUp): Promise<readonly AlertLine[]> {
  const { stdout } = await runVerb("alerts", "--json", ...up.flags);
  return stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

async function verb(up: RunningUp, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runVerb(...args, ...up.flags);
  assertEquals(code, 0, stderr);
  return stdout;
}

/** What the agent found to be true of the order of antibodies that is in force. */
async function found(up: RunningUp, pattern: RegExp): Promise<string> {
  return await eventually(String(pattern), async () => {
    for (const line of (await verb(up, "directives", "list", "--json")).split("\n")) {
      if (line === "") continue;
      const { stream, number, kind } = JSON.parse(line);
      if (kind !== "antibodies") continue;
      const shown = await verb(up, "directives", "show", `${stream}/${number}`, "--json");
      const texts = shown.split("\n").filter((each) => each !== "")
        .map((each) => String(JSON.parse(each).text));
      const text = texts.find((each) => pattern.test(each));
      if (text !== undefined) return text;
    }
    return undefined;
  });
}

async function run(...args: readonly string[]): Promise<void> {
  await new Deno.Command("bash", { args: ["-c", ": $0", ...args] }).output();
}

Deno.test({
  name: "herd: an agent takes antibodies, detects by them, and lets go of them",
  ignore,
  fn: async () => {
    const up = await startUp();
    try {
      const mark = crypto.randomUUID();
      await new Deno.Command("bash", {
        args: ["-c", `: /dev/tcp/127.0.0.1/4444 ${mark}`],
      }).output();
      const { id: alert } = await eventually(
        "the first alert",
        async () => (await alerts(up)).find(({ process }) => process?.command_line?.includes(mark)),
      );
      await verb(up, "herd", "add", alert, "--type", "rule", "--value", RULE);
      const [sigma] = JSON.parse(
        `[${(await verb(up, "herd", "list", "--json")).trim().split("\n").join()}]`,
      );
      assertEquals(sigma.stage, "canary");
      const active = await found(up, /1 antibodies, as 0 indicators and 1 rules, 0 refused/);
      assertMatch(
        active,
        /^antibody sets none and [0-9a-f]{64} active: .*; rule set [0-9a-f]{64} and \d+ indicators/,
      );
      const ruleId = `herd-${sigma.id}`;
      await run(`${MARK}-sigma`);
      await eventually(
        ruleId,
        async () => (await alerts(up)).find(({ rule }) => rule.id === ruleId),
      );

      // The brake is for hosts that it was not born on: an analyst pulls it back.
      await verb(up, "herd", "pull", sigma.id, "--why", "over");
      await found(up, /^antibody sets none and none active: 0 antibodies/);
      const before = (await alerts(up)).filter(({ rule }) => rule.id === ruleId).length;
      await run(`${MARK}-sigma`);
      // What comes behind it is there, and so would it be.
      await run(`/dev/tcp/127.0.0.1/4555 ${MARK}-last`);
      await eventually("the alert behind it", async () => {
        const { stdout } = await runVerb("alerts", "--json", ...up.flags);
        return stdout.includes(`${MARK}-last`) ? true : undefined;
      });
      const after = (await alerts(up)).filter(({ rule }) => rule.id === ruleId).length;
      assertEquals(after, before);

      // What another process keeps the agent from is done later, and said then.
      {
        using _busy = IndicatorStore.open(statePaths(up.state).indicators);
        const value = ["--type", "path", "--value", "/usr/bin/bash"];
        await verb(up, "herd", "add", alert, ...value);
        await found(up, /^Cannot lock /);
      }
      await found(up, /: 1 antibodies, as 1 indicators and 0 rules, 0 refused/);
    } finally {
      await up.stop();
      await Deno.remove(up.state, { recursive: true });
    }
  },
});
