import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readIdentity } from "../../agent/enrol/identity.ts";
import { PIN_VARIABLES, pinnedEnvironment } from "../../common/link/mod.ts";
import { type RunningHive, startHive } from "../support/hive.ts";
import { immune, type Run, runImmune } from "../support/immune.ts";

/** A host that asked to join and was killed while it waited for an operator. */
interface Waiting {
  readonly state: string;
  /** Enrols with the same token again, to its end. */
  again(): Promise<Run>;
  /** SHA-256 of its key, as it showed it. */
  readonly keyHash: string;
}

const OPTIONS = { environment: pinnedEnvironment(), without: PIN_VARIABLES };

async function killedWhileItWaits({ hive, state }: RunningHive, name: string): Promise<Waiting> {
  const own = `${state}/${name}`;
  await Deno.mkdir(own, { mode: 0o700 });
  const file = `${own}/token`;
  await Deno.writeTextFile(file, (await hive.enrollToken({ approval: true })).text);
  const args = ["enroll", "--token-file", file, "--state", own];
  const child = immune(args, OPTIONS).spawn();
  const output = child.stdout.cancel();
  let said = "";
  const errors = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  while (!/SHA-256 [0-9a-f]{64}\n/.test(said)) {
    const { value, done } = await errors.read();
    if (done) throw new Error(`It did not wait: ${said}`);
    said += value;
  }
  child.kill("SIGKILL");
  await Promise.all([child.status, output, errors.cancel()]);
  const [, keyHash = ""] = /SHA-256 ([0-9a-f]{64})\n/.exec(said) ?? [];
  return { state: own, keyHash, again: () => runImmune(args, OPTIONS) };
}

async function idOf({ flags }: RunningHive, keyHash: string): Promise<string> {
  const { stdout } = await runImmune(["agents", "pending", "--json", ...flags]);
  const all = stdout.trim().split("\n").map((line) => JSON.parse(line));
  return all.find((each) => each.keyHash === keyHash)?.id ?? "";
}

Deno.test("enroll goes on with the same token when it was killed while an operator decided", async () => {
  await using running = await startHive();
  const host = await killedWhileItWaits(running, "host");
  const folder = `${host.state}/agent`;
  for (const name of ["agent.key", "enrolment.json"]) {
    assertEquals((Deno.statSync(`${folder}/${name}`).mode ?? 0) & 0o777, 0o600);
  }
  const key = await Deno.readTextFile(`${folder}/agent.key`);
  assertEquals(readIdentity(folder), undefined);
  const id = await idOf(running, host.keyHash);
  const approved = await runImmune(["agents", "approve", id, ...running.flags]);
  assertEquals(approved.code, 0, approved.stderr);
  const enrolled = await host.again();
  assertEquals(enrolled.code, 0, enrolled.stderr);
  assertStringIncludes(enrolled.stdout, `Enrolled as ${id}`);
  const identity = readIdentity(folder);
  assertEquals([identity?.agentId, identity?.keyPem], [id, key]);
  assertEquals([...Deno.readDirSync(folder)].some(({ name }) => name === "enrolment.json"), false);
});

Deno.test("enroll forgets what an operator denied, and its token is used up", async () => {
  await using running = await startHive();
  const host = await killedWhileItWaits(running, "host");
  const id = await idOf(running, host.keyHash);
  await runImmune(["agents", "deny", id, ...running.flags]);
  const denied = await host.again();
  assert(denied.stderr.includes("[ENROLL_REFUSED]"), denied.stderr);
  const names = [...Deno.readDirSync(`${host.state}/agent`)].map(({ name }) => name);
  assertEquals(names.includes("enrolment.json"), false);
  const after = await host.again();
  assert(after.stderr.includes("[TOKEN_INVALID]"), after.stderr);
});
