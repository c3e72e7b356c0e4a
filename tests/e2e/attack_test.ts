import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { canLoadSensor } from "../support/host.ts";
import { immune, ROOT, type Run, runImmune } from "../support/immune.ts";
import { Lines, START_WAIT_MS } from "../support/lines.ts";

const ignore = !canLoadSensor();
/** Enough events that no pipe holds what they print. */
const MANY = 20_000;

const EVENT = '{"CommandLine":"bash -c : /dev/tcp/192.0.2.1/9"}\n';

/** Runs the program with a shell around it, which gives the program's exit code. */
function throughShell(around: string, args: readonly string[]): Promise<Run> {
  return runImmune(args, { prefix: ["bash", "-c", around, "_"] });
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "immune attack, " });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function assertOneLine({ code, stderr }: Run, says: string): void {
  assertEquals([code, stderr.trim().split("\n").length], [1, 1], stderr);
  assertStringIncludes(stderr, says);
}

async function sh(command: string): Promise<void> {
  await new Deno.Command("bash", { args: ["-c", command], stdout: "null", stderr: "null" })
    .output();
}

Deno.test("replay ends quietly when its reader has enough", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/many`, EVENT.repeat(MANY));
    const args = ["replay", `${folder}/many`, "--rules", `${ROOT}rules/linux`, "--json"];
    const run = await throughShell('"$@" | head -1; exit ${PIPESTATUS[0]}', args);
    assertEquals([run.code, run.stderr, run.stdout.trim().split("\n").length], [0, "", 1]);
  }));

for (
  const args of [["version"], ["--help"], ["doctor", "--help"], ["config", "show"], [
    "rules",
    "check",
    `${ROOT}rules/linux`,
  ]]
) {
  Deno.test(`"immune ${args[0]}" to a full disk is one line and exit code 1`, async () => {
    assertOneLine(await throughShell('"$@" >/dev/full', args), "[OUTPUT_UNWRITABLE]");
  });
}

Deno.test("replay to a full disk names the disk, not its lines", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/two`, EVENT.repeat(2));
    const args = ["replay", `${folder}/two`, "--rules", `${ROOT}rules/linux`];
    assertOneLine(await throughShell('"$@" >/dev/full', args), "[OUTPUT_UNWRITABLE]");
  }));

Deno.test("replay reads a pipe, standard input, and refuses a folder", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/one`, EVENT);
    const rules = ["--rules", `${ROOT}rules/linux`, "--json"];
    for (const file of ["-", "/dev/stdin"]) {
      const around = `"$@" < "${folder}/one"`;
      const run = await throughShell(around, ["replay", file, ...rules]);
      assertEquals([run.code, run.stdout.trim().split("\n").length], [0, 1], run.stderr);
    }
    assertOneLine(await runImmune(["replay", folder, ...rules]), "[FILE_UNREADABLE]");
  }));

Deno.test({
  name: "a state folder that cannot be used is one line and exit code 1",
  ignore,
  fn: () =>
    inFolder(async (parent) => {
      // A comma is refused by the setting itself.
      const folder = await Deno.makeTempDir();
      await Deno.writeTextFile(`${folder}/file`, "");
      await Deno.mkdir(`${folder}/open`);
      await Deno.chmod(`${folder}/open`, 0o777);
      await Deno.symlink(`${folder}/open`, `${folder}/link`);
      for (const name of ["file", "file/below", "open", "link"]) {
        assertOneLine(
          await runImmune(["watch", "--state", `${folder}/${name}`]),
          "[STATE_UNUSABLE]",
        );
      }
      const comma = await runImmune(["watch", "--state", `${parent}/s`]);
      assertEquals(comma.code, 2);
      assertStringIncludes(comma.stderr, "must hold no comma");
      await Deno.remove(folder, { recursive: true });
    }),
});

Deno.test("settings that do not hold are named, whatever permissions they leave", async () => {
  for (const environment of [{ IMMUNE_JSON: "banana" }, { IMMUNE_JOURNAL_FLUSH_MS: "1e3" }]) {
    const { code, stderr } = await runImmune(["config", "show"], { environment });
    assertEquals(code, 2);
    assertStringIncludes(stderr, `from environment ${Object.keys(environment)[0]}`);
  }
});

Deno.test("output.json is obeyed, also from the environment", async () => {
  const { stdout } = await runImmune(["config", "show"], { environment: { IMMUNE_JSON: "true" } });
  for (const line of stdout.trim().split("\n")) assert(typeof JSON.parse(line).key === "string");
});

Deno.test({
  name: "events tail ends when its reader has enough",
  ignore,
  fn: async () => {
    const started = performance.now();
    const around = '"$@" | head -1; exit ${PIPESTATUS[0]}';
    const running = throughShell(around, ["events", "tail", "--json", "--kinds", "exec"]);
    let ended = false;
    const run = running.finally(() => {
      ended = true;
    });
    // Events until it has noticed: its reader goes with the first one.
    while (!ended && performance.now() - started < START_WAIT_MS) await sh("true");
    const { code, stdout } = await run;
    assertEquals([code, stdout.trim().split("\n").length], [0, 1]);
  },
});

Deno.test({
  name: "events tail with a reader that does not read stops on a signal and counts what it dropped",
  ignore,
  fn: async () => {
    const child = immune(["events", "tail", "--json"]).spawn();
    const messages = new Lines(child.stderr);
    await messages.find((line) => line.startsWith("Showing"), { waitMs: START_WAIT_MS });
    await sh("for i in $(seq 6000); do /bin/true; done");
    const asked = performance.now();
    child.kill("SIGTERM");
    const line = await messages.find((text) => text.startsWith("Stopped:"));
    assert(performance.now() - asked < START_WAIT_MS);
    assert(Number(/(\d+) not shown/.exec(line)?.[1]) > 0, line);
    await child.stdout.cancel();
    await messages.drain();
    assertEquals((await child.status).code, 0);
  },
});

Deno.test({
  name: "watch goes on when its terminal is gone, and the journal keeps the alerts",
  ignore,
  fn: async () => {
    const state = await Deno.makeTempDir();
    const prefix = ["bash", "-c", 'exec "$@" >/dev/full', "_"];
    const child = immune(["watch", "--state", state], { prefix }).spawn();
    const messages = new Lines(child.stderr);
    await messages.find((line) => line.startsWith("Watching"), { waitMs: START_WAIT_MS });
    await sh(": /dev/tcp/192.0.2.1/9");
    await messages.find((line) => line.includes("the watch goes on"));
    await sh(": /dev/tcp/192.0.2.1/9");
    child.kill("SIGTERM");
    const line = await messages.find((text) => text.startsWith("Stopped:"));
    assert(Number(/(\d+) alerts/.exec(line)?.[1]) >= 2, line);
    await Promise.all([messages.drain(), child.stdout.cancel()]);
    assertEquals((await child.status).code, 0);
    await Deno.remove(state, { recursive: true });
  },
});

Deno.test({
  name: "watch that was killed while events flowed goes on in its journal and says so",
  ignore,
  fn: async () => {
    const state = await Deno.makeTempDir();
    const start = async (): Promise<
      { child: Deno.ChildProcess; messages: Lines; said: string }
    > => {
      const child = immune(["watch", "--state", state]).spawn();
      const messages = new Lines(child.stderr);
      return {
        child,
        messages,
        said: await messages.find((line) => line.startsWith("Watching"), { waitMs: START_WAIT_MS }),
      };
    };
    const first = await start();
    assertStringIncludes(first.said, " starts");
    await sh("for i in $(seq 300); do /bin/true; done");
    first.child.kill("SIGKILL");
    await Promise.all([first.messages.drain(), first.child.stdout.cancel(), first.child.status]);
    const second = await start();
    assertStringIncludes(second.said, "what happened since it stopped is not in it");
    assert(Number(/goes on at (\d+)/.exec(second.said)?.[1]) > 1, second.said);
    second.child.kill("SIGTERM");
    await Promise.all([second.messages.drain(), second.child.stdout.cancel()]);
    assertEquals((await second.child.status).code, 0);
    await Deno.remove(state, { recursive: true });
  },
});

Deno.test("the launcher takes relative paths from the caller's folder", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/i.toml`, "[journal]\nflush_ms = 7\n");
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--quiet",
        `${ROOT}build/main.ts`,
        "--quiet",
        "--then",
        "immune",
        "config",
        "show",
        "--config",
        "i.toml",
      ],
      cwd: ROOT,
      env: { INIT_CWD: folder },
    }).output();
    const text = new TextDecoder();
    assert(success, text.decode(stderr));
    assertStringIncludes(text.decode(stdout), "i.toml:2");
  }));
