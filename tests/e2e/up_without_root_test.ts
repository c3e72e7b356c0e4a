import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Journal } from "../../common/journal/mod.ts";
import { encodeRecord } from "../../common/record/mod.ts";
import type { Alert } from "../../common/wire/alert.ts";
import { ROOT } from "../support/immune.ts";
import { dist, ENVIRONMENT, type RunningUp, startUp } from "../support/up.ts";

/** A user that has nothing. */
const NOBODY = 65534;
const AS_NOBODY = ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
const RECORDED_MS = Date.UTC(2026, 4, 5, 6, 7, 8);

const ignore = Deno.uid() !== 0;

/** The program and its runtime where that user can read them, and a folder of its own. */
interface Setting {
  readonly launcher: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
}

async function withoutRoot(run: (setting: Setting) => Promise<void>): Promise<void> {
  await dist;
  const folder = await Deno.makeTempDir();
  try {
    const copied = await new Deno.Command("cp", {
      args: ["-r", `${ROOT}dist`, Deno.execPath(), folder],
    }).output();
    assert(copied.success);
    await new Deno.Command("chown", { args: ["-R", `${NOBODY}:${NOBODY}`, folder] }).output();
    const deno = `${folder}/${Deno.execPath().split("/").at(-1)}`;
    const environment = { ...ENVIRONMENT, IMMUNE_DENO: deno, DENO_DIR: `${folder}/cache` };
    await run({ launcher: `${folder}/dist/immune`, environment, folder });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function verb(
  { launcher, environment }: Setting,
  args: readonly string[],
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const [command = "", ...rest] = [...AS_NOBODY, launcher, ...args];
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: rest,
    clearEnv: true,
    env: environment,
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** A journal segment, as an agent on another day has written it. */
function recordingIn(folder: string): string {
  using journal = Journal.open(`${folder}/recorded`);
  const exec = (pid: number, line: string): Uint8Array =>
    encodeRecord("exec", {
      header: { pid, tid: pid, start_time_ns: BigInt(pid), time_ns: BigInt(pid), sequence: pid },
      slots: { image: "/usr/bin/bash", argv: `bash\0-c\0${line}\0` },
    });
  for (const record of [exec(7, ": /dev/tcp/127.0.0.1/4720"), exec(8, "true")]) {
    journal.append(record, {
      recordCount: 1,
      losses: [],
      bootId: "b0".repeat(16),
      hostId: "a0".repeat(32),
      epoch: 1,
      wallOffsetNs: BigInt(RECORDED_MS) * 1_000_000n,
    });
  }
  journal.flush();
  const [segment] = [...Deno.readDirSync(`${folder}/recorded`)]
    .filter(({ name }) => name.endsWith(".batches") || /^\d/.test(name));
  return `${folder}/recorded/${segment?.name}`;
}

async function alertsOf(setting: Setting, up: RunningUp): Promise<readonly Alert[]> {
  const { stdout } = await verb(setting, ["alerts", "--last", "100000d", "--json", ...up.flags]);
  return stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line) as Alert);
}

Deno.test({
  name: "up without root runs the hive as the caller, and replay brings it events",
  ignore,
  fn: () =>
    withoutRoot(async (setting) => {
      const { launcher, environment, folder } = setting;
      const state = `${folder}/state`;
      const up = await startUp({ launcher, prefix: AS_NOBODY, state, environment });
      try {
        const sensor = up.lines.find((line) => line.startsWith("Sensor")) ?? "";
        assertStringIncludes(sensor, "needs root");
        assertStringIncludes(sensor, `immune replay FILE --deliver --state ${state}`);
        const recording = recordingIn(folder);
        await new Deno.Command("chown", { args: ["-R", `${NOBODY}`, `${folder}/recorded`] })
          .output();
        const first = await verb(setting, ["replay", recording, "--deliver", ...up.flags]);
        assertEquals(first.code, 0, first.stderr);
        assertStringIncludes(first.stdout, "2 events, 1 matches, 0 bad, delivered to");
        const [alert, ...others] = await alertsOf(setting, up);
        assertEquals(others, []);
        assertStringIncludes(alert?.process?.command_line ?? "", "/dev/tcp/127.0.0.1/4720");
        assertEquals(alert?.time, new Date(RECORDED_MS).toISOString());
        const lines = `${folder}/events.ndjson`;
        await Deno.writeTextFile(
          lines,
          JSON.stringify({ Image: "/usr/bin/bash", CommandLine: "bash -c /dev/tcp/10.0.0.1/1" }),
        );
        const second = await verb(setting, ["replay", lines, "--deliver", ...up.flags]);
        assertEquals(second.code, 0, second.stderr);
        const commands = (await alertsOf(setting, up)).map(({ process }) => process?.command_line);
        assert(commands.includes("bash -c /dev/tcp/10.0.0.1/1"), commands.join());
        const agents = await verb(setting, ["agents", "list", "--json", ...up.flags]);
        const { ledger } = JSON.parse(agents.stdout);
        assertEquals(ledger.made, ledger.stored + ledger.lost);
      } finally {
        assertEquals(await up.stop(), 0);
      }
    }),
});
