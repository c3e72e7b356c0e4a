import { assert, assertEquals } from "@std/assert";
import { openHiveFolder, STORE_FILE } from "../../hive/folder.ts";
import { HERD_PATH, type HerdAgent, herdAgent } from "../../hive/store/_herd_test_support.ts";
import { SqliteStore } from "../../hive/store/mod.ts";
import { startHive } from "../support/hive.ts";
import { type Run, runImmune } from "../support/immune.ts";

/** A state folder whose hive knows two agents, the first of which has delivered an alert. */
async function knownAgents(): Promise<{
  readonly state: string;
  readonly agents: readonly [HerdAgent, HerdAgent];
  readonly alertId: string;
}> {
  const state = await Deno.makeTempDir();
  const store = new SqliteStore(`${openHiveFolder(state)}/${STORE_FILE}`);
  const agents = [await herdAgent(store), await herdAgent(store)] as const;
  const alertId = await agents[0].alert(HERD_PATH);
  await store.close();
  return { state, agents, alertId };
}

Deno.test("herd: from a genesis set and an alert to an antibody, and back", async () => {
  const { state, agents: [a, b], alertId } = await knownAgents();
  {
    await using running = await startHive({ state });
    const run = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await runImmune(["herd", ...args, ...running.flags]);
      return `${code} ${stdout}${stderr}`;
    };
    const key = `${state}/genesis.pem`;
    const genesis = ["genesis", a.id, b.id, "--key", key, "--number", "1"];
    assertEquals(await run(...genesis, "--new-key"), "0 2 agents are genesis set 1\n");
    assertEquals(((await Deno.stat(key)).mode ?? 0) & 0o777, 0o600);
    const again = await run(...genesis);
    assert(again.includes("[HERD_REFUSED]") && again.startsWith("1 "), again);
    const agents = await run("agents");
    assertEquals(agents.match(/member +1\.000 +0 +yes/g)?.length, 2, agents);

    const add = ["add", alertId, "--type", "path", "--action", "block", "--value"];
    const refused = await run(...add, "/usr/bin/bash");
    assert(refused.includes("It is of the system"), refused);
    const made = await run(...add, HERD_PATH, "--reason", "a miner");
    const id = /[0-9a-f]{32}/.exec(made)?.[0] ?? "";
    assertEquals(made, `0 ${id} is now "canary"\n`);
    assert((await run("list")).includes(HERD_PATH));
    const pulled = await run("pull", id, "--why", "a backup tool", "--false", "--json");
    assertEquals(JSON.parse(pulled.slice(2)), { id, stage: "pulled" });
    const { stage, why } = JSON.parse((await run("list", "--json")).slice(2));
    assertEquals([stage, why], ["pulled", "false: a backup tool"]);

    const suspect = await run("suspect", b.id, "--json");
    assertEquals(JSON.parse(suspect.slice(2)), { agentId: b.id, state: "suspect" });
    assertEquals(await run("clear", b.id), `0 ${b.id} is now "member"\n`);
    assertEquals(await run("blacklist", b.id), `0 ${b.id} is now "blacklisted"\n`);
    const log = await runImmune(["audit", "list", ...running.flags]);
    assert(log.stdout.includes("herd.blacklist"), log.stdout);
  }
  await Deno.remove(state, { recursive: true });
});

Deno.test("herd says what is wrong with how it is called", async () => {
  for (
    const args of [
      ["herd", "add", "1"],
      ["herd", "add", "1", "--type", "code", "--value", "x"],
      ["herd", "add", "1", "--type", "port", "--value", "1", "--hours", "0"],
      ["herd", "pull", "1"],
      ["herd", "verdict", "1", "perhaps"],
      ["herd", "genesis", "1", "--key", "k", "--number", "none"],
    ]
  ) {
    const { code, stderr }: Run = await runImmune(args);
    assertEquals([args, code], [args, 2]);
    assert(stderr.startsWith("error: "), stderr);
  }
});
