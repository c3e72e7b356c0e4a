import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Alert } from "../../common/wire/mod.ts";
import { canLoadSensor } from "../support/host.ts";
import { immune } from "../support/immune.ts";
import { Lines, START_WAIT_MS } from "../support/lines.ts";

/** Longest time from a command to its alert on the terminal, in milliseconds. */
const ALERT_WITHIN_MS = 1000;
/** Commands until one is in time. */
const TRIES_MAX = 30;

const ignore = !canLoadSensor();

/** Starts `immune watch --json` with a state folder of its own and waits until it watches. */
async function startWatch(...more: string[]): Promise<{
  readonly child: Deno.ChildProcess;
  readonly alerts: Lines;
  readonly messages: Lines;
  readonly state: string;
}> {
  const state = await Deno.makeTempDir();
  const child = immune(["watch", "--json", "--state", state, ...more]).spawn();
  const messages = new Lines(child.stderr);
  await messages.find((line) => line.startsWith("Watching"), { waitMs: START_WAIT_MS });
  return { child, alerts: new Lines(child.stdout), messages, state };
}

async function sh(command: string): Promise<void> {
  await new Deno.Command("bash", { args: ["-c", command], stdout: "null", stderr: "null" })
    .output();
}

Deno.test({
  name: "watch raises an alert for a reverse-shell command line within a second",
  ignore,
  fn: async () => {
    const { child, alerts, messages, state } = await startWatch();
    try {
      // The first in time of some: a host that is busy for a while says nothing about the way.
      let [line, elapsed] = ["", Infinity];
      for (let port = 4444; port < 4444 + TRIES_MAX && elapsed >= ALERT_WITHIN_MS; port++) {
        const started = performance.now();
        await sh(`: /dev/tcp/127.0.0.1/${port}`);
        line = await alerts.find((text) => text.includes(`/dev/tcp/127.0.0.1/${port}`));
        elapsed = performance.now() - started;
      }
      assert(elapsed < ALERT_WITHIN_MS, `the alert took ${elapsed} ms`);
      const alert = JSON.parse(line) as Alert;
      assertEquals(alert.event.kind, "alert");
      assertStringIncludes(alert.process?.command_line ?? "", "bash -c : /dev/tcp/");
      assert(alert.process?.executable?.endsWith("/bash"));
      assertEquals(alert.process?.parent?.pid, Deno.pid);
      assertEquals(alert.process?.parent?.executable, await Deno.realPath(Deno.execPath()));
      assertEquals(alert.process?.entity_id?.length, 32);
      assert(Math.abs(Date.parse(alert.time) - Date.now()) < 5000, alert.time);
    } finally {
      child.kill("SIGINT");
      await messages.find((line) => line.startsWith("Stopped:"));
      await Promise.all([alerts.drain(), messages.drain(), child.status]);
      await Deno.remove(state, { recursive: true });
    }
  },
});

Deno.test({
  name: "watch masks a key in arguments before it is shown or stored",
  ignore,
  fn: async () => {
    const { child, alerts, messages, state } = await startWatch();
    const secret = `sk-ant-api03-${"Q7w".repeat(20)}`;
    try {
      await sh(`: /dev/tcp/127.0.0.1/9 --api-key ${secret}`);
      const line = await alerts.find((text) => text.includes("/dev/tcp/127.0.0.1/9"));
      assert(!line.includes(secret), line);
    } finally {
      child.kill("SIGINT");
      await Promise.all([alerts.drain(), messages.drain(), child.status]);
    }
    for await (const entry of Deno.readDir(`${state}/agent/journal`)) {
      if (!entry.isFile) continue;
      const bytes = await Deno.readFile(`${state}/agent/journal/${entry.name}`);
      const text = new TextDecoder("latin1").decode(bytes);
      assert(!text.includes(secret), `${entry.name} holds the key`);
    }
    await Deno.remove(state, { recursive: true });
  },
});

Deno.test({
  name: "watch refuses a state folder that another one uses",
  ignore,
  fn: async () => {
    const { child, alerts, messages, state } = await startWatch();
    try {
      const second = await immune(["watch", "--state", state]).output();
      assertEquals(second.code, 1);
      assertStringIncludes(new TextDecoder().decode(second.stderr), "[STATE_LOCKED]");
    } finally {
      child.kill("SIGINT");
      await Promise.all([alerts.drain(), messages.drain(), child.status]);
      await Deno.remove(state, { recursive: true });
    }
  },
});

Deno.test({
  name: "watch takes other rules over on SIGHUP, and keeps those it has when they cannot be read",
  ignore,
  fn: async () => {
    const rules = await Deno.makeTempDir();
    const rule = (id: number, word: string): Promise<void> =>
      Deno.writeTextFile(
        `${rules}/${word}.yml`,
        [
          `title: Word ${word}`,
          `id: 3f2b1c00-0000-4000-8000-00000000000${id}`,
          "level: high",
          "logsource: { category: process_creation, product: linux }",
          "detection:",
          `  s: { CommandLine|contains: reload-${word} }`,
          "  condition: s",
        ].join("\n"),
      );
    await rule(1, "first");
    const { child, alerts, messages, state } = await startWatch("--rules", rules);
    const fires = async (word: string): Promise<void> => {
      await sh(`: reload-${word}`);
      await alerts.find((text) => text.includes(`Word ${word}`));
    };
    try {
      await fires("first");
      await rule(2, "second");
      child.kill("SIGHUP");
      const line = await messages.find((text) => text.includes("rules in force"));
      assertStringIncludes(line, "2 rules in force");
      await fires("second");
      await fires("first");
      await Deno.remove(rules, { recursive: true });
      child.kill("SIGHUP");
      await messages.find((text) => text.includes("the rules in force stay"));
      await fires("second");
    } finally {
      child.kill("SIGINT");
      await Promise.all([alerts.drain(), messages.drain(), child.status]);
      await Deno.remove(state, { recursive: true });
    }
  },
});
