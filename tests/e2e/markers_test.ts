import { assert, assertEquals } from "@std/assert";
import { pinnedEnvironment } from "../../common/link/mod.ts";
import { canLoadSensor } from "../support/host.ts";
import { startProvider } from "../support/oidc_provider.ts";
import { Secrets } from "../support/secrets.ts";
import { type RunningUp, runVerb, startUp } from "../support/up.ts";
import {
  addShares,
  exercise,
  exerciseAccount,
  exerciseHerd,
  exerciseOidc,
  exercisePasskey,
  exerciseStopKey,
} from "./_markers_deeds.ts";
import {
  addEnrolmentToken,
  addHiveSecrets,
  addKeys,
  ask,
  EVENTS,
  MarkerScene,
  type RunningHive,
} from "./_markers_scene.ts";

/** Longest wait for what takes a while, in milliseconds. */
const EVENTUALLY_MS = 120_000;

/** Secrets that have a file of their own, by their names. */
const KEYS = ["ca.key", "directive.key", "server.key", "server.next.key"];
const SHARES = [1, 2, 3, 4, 5].map((i) => `share ${i} of the stop key`);

Deno.test("markers: no key, share, token, code or session is anywhere but in its own file", async () => {
  const folder = await Deno.makeTempDir({ prefix: "immune-markers-" });
  const scene = new MarkerScene(folder);
  const { secrets } = scene;
  await using provider = await startProvider({ clientSecret: `Marker ${crypto.randomUUID()}` });
  try {
    await Deno.mkdir(scene.state, { mode: 0o700 });
    const secretFile = `${folder}/provider.secret`;
    await Deno.writeTextFile(secretFile, provider.clientSecret, { mode: 0o600 });
    const oidc = ["--oidc-issuer", provider.issuer, "--oidc-client-id", provider.clientId].concat(
      ["--oidc-secret-file", secretFile],
    );
    secrets.addText({ name: "the OpenID secret", belongs: secretFile }, provider.clientSecret);
    const hive = await scene.startHive(oidc);
    const token = await addHiveSecrets(scene, hive);
    secrets.addText(
      { name: "the first login code" },
      new URL(hive.login).searchParams.get("code") ?? "",
    );
    await scene.agentVerb(["enroll", "--token-file", "-"], { input: hive.token });
    await addKeys(secrets, `${scene.agentState}/agent`);
    const events = `${folder}/events.ndjson`;
    await Deno.writeTextFile(events, EVENTS);
    const environment = pinnedEnvironment();
    await scene.agentVerb(["replay", events, "--deliver"], { environment });
    await exercise(scene, { hive, token });
    await exerciseAccount(scene, { hive, token });
    await exercisePasskey(scene, { hive, token });
    await exerciseOidc(scene, { hive, token, provider });
    await exerciseHerd(scene, { hive, token });
    await exerciseStopKey(scene, folder);
    await scene.lookAtState();
    await secrets.lookAtFile(secretFile);
    await dieAndComeBack(scene, { hive, token, oidc });
    assertEquals([...secrets.findings], []);
    // What is looked for was there to be found.
    assertEquals(
      [...secrets.atHome].sort(),
      [
        "agent.key",
        "an authenticator's secret",
        "the OpenID secret",
        "the operator token",
        ...KEYS,
        ...SHARES,
      ].sort(),
    );
    assertEquals(secrets.count, 31);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** The hive ends in the midst of its work, and so does what delivers to it; both start again. */
async function dieAndComeBack(
  scene: MarkerScene,
  { hive, token, oidc }: {
    readonly hive: RunningHive;
    readonly token: string;
    readonly oidc: readonly string[];
  },
): Promise<void> {
  const environment = pinnedEnvironment();
  await hive.kill("SIGABRT");
  for (const killedBy of ["SIGABRT", "SIGKILL"] as const) {
    const killed = { environment, input: EVENTS, killedBy };
    await scene.agentVerb(["replay", "/dev/stdin", "--deliver"], killed);
  }
  await scene.lookAtState();
  const second = await scene.startHive(oidc);
  addEnrolmentToken(scene.secrets, second.token);
  await (await ask(`${second.origin}/api/v1/status`, { token })).body?.cancel();
  await second.kill("SIGKILL");
  await scene.lookAtState();
  const last = await scene.startHive(oidc);
  addEnrolmentToken(scene.secrets, last.token);
  await last.kill("SIGINT");
  await scene.lookAtState();
}

Deno.test({
  name: "markers: nor does an agent with a sensor leave any, killed while it watches",
  ignore: !canLoadSensor(),
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "immune-markers-" });
    const scene = new MarkerScene(folder);
    const { secrets } = scene;
    try {
      await Deno.mkdir(scene.state, { mode: 0o700 });
      const hive = await scene.startHive();
      const token = await addHiveSecrets(scene, hive);
      await scene.agentVerb(["enroll", "--token-file", "-"], { input: hive.token });
      await addKeys(secrets, `${scene.agentState}/agent`);
      for (const [round, signal] of (["SIGKILL", "SIGABRT", "SIGTERM"] as const).entries()) {
        const agent = await scene.startAgent();
        await raised(`${hive.origin}/api/v1/alerts?last=1d`, { token, port: 21_000 + round });
        await scene.lookAtState();
        await agent.kill(signal);
        await scene.lookAtState();
      }
      await hive.kill("SIGKILL");
      await scene.lookAtState();
      assertEquals([...secrets.findings], []);
      assertEquals([...secrets.atHome].sort(), ["agent.key", "the operator token", ...KEYS].sort());
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "markers: nor does `up` with a stop key, whose parts are killed and start again",
  ignore: !canLoadSensor(),
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "immune-markers-" });
    const secrets = new Secrets();
    const up = await startUp({ stderr: "piped" });
    const { state } = up;
    try {
      secrets.addText(
        { name: "the login code" },
        new URL(up.login).searchParams.get("code") ?? "",
      );
      const belongs = `${state}/operator.token`;
      const token = (await Deno.readTextFile(belongs)).trim();
      secrets.addText({ name: "the operator token", belongs }, token);
      for (const part of ["hive", "agent"]) await addKeys(secrets, `${state}/${part}`);
      const out = `${folder}/shares`;
      const made = await runVerb("kill-switch", "init", "--out", out, ...up.flags);
      assertEquals(made.code, 0, made.stderr);
      const files = [...Deno.readDirSync(out)].map(({ name }) => `${out}/${name}`).sort();
      await addShares(secrets, files);
      const shares = files.slice(0, 3).flatMap((file) => ["--share", file]);
      const drill = await runVerb("kill-switch", "drill", ...shares, ...up.flags);
      assertEquals(drill.code, 0, drill.stderr);
      const api = `http://${up.flags[up.flags.indexOf("--console") + 1]}/api/v1`;
      for (const [round, part] of ["agent", "hive"].entries()) {
        await raised(`${api}/alerts?last=1d`, { token, port: 22_000 + round });
        await secrets.lookAtProcesses();
        await killPart(up, part);
        await secrets.lookBelow(state);
      }
      await raised(`${api}/alerts?last=1d`, { token, port: 22_009 });
      await secrets.lookAtProcesses();
      await up.stop();
      secrets.look("stderr of up", await up.said);
      await secrets.lookBelow(state);
      await secrets.lookBelow(out);
      assertEquals([...secrets.findings], []);
      assertEquals(
        [...secrets.atHome].sort(),
        ["agent.key", "the operator token", ...KEYS, ...SHARES].sort(),
      );
    } finally {
      await up.stop().catch(() => {});
      for (const path of [folder, state]) await Deno.remove(path, { recursive: true });
    }
  },
});

/** Waits until an exec of this host has come to the hive as an alert. */
async function raised(
  url: string,
  { token, port }: { readonly token: string; readonly port: number },
): Promise<void> {
  const mark = `/dev/tcp/127.0.0.1/${port}`;
  const until = performance.now() + EVENTUALLY_MS;
  for (;;) {
    await new Deno.Command("bash", { args: ["-c", `: ${mark}`] }).output();
    const answer = await ask(url, { token }).catch(() => undefined);
    if ((await answer?.text())?.includes(mark)) return;
    assert(performance.now() < until, `No alert about ${mark}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Kills a part of `up`, which then starts again. */
async function killPart({ state }: RunningUp, part: string): Promise<void> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const args = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    const words = args.split("\0");
    if (words.includes(part) && words.includes(state) && words.includes("--json")) {
      Deno.kill(Number(name), "SIGKILL");
      return;
    }
  }
  throw new Error(`The ${part} does not run`);
}
