import { assertEquals } from "@std/assert";
import { generateKeyPairSync } from "node:crypto";
import { signGenesis } from "../herd/mod.ts";
import { HERD_PATH, herdAgent } from "../store/_herd_test_support.ts";
import { openTestHive, type TestHive } from "./_test_support.ts";
import {
  antibodiesSchema,
  antibodySchema,
  standingSchema,
  standingsSchema,
} from "./herd_schemas.ts";

const KEY = generateKeyPairSync("ed25519").privateKey;

async function send(hive: TestHive, path: string, body: unknown = {}): Promise<unknown> {
  const response = await hive.api.request(`/api/v1${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${hive.token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return await response.json();
}

function actions(hive: TestHive): readonly string[] {
  const { entries } = hive.audit.read({ limit: 100, action: "herd" });
  return entries.map(({ action, decision }) => `${action} ${decision}`);
}

Deno.test("the API takes a genesis set, and shows who counts", async () => {
  await using hive = await openTestHive();
  const agents = [(await herdAgent(hive.store)).id, (await herdAgent(hive.store)).id];
  const signed = signGenesis({ number: 1, agents }, KEY);
  const taken = standingsSchema.parse(await send(hive, "/herd/genesis", { signed })).agents;
  assertEquals(taken.map(({ state, counts }) => [state, counts]), [
    ["newcomer", false],
    ["member", true],
    ["member", true],
  ]);
  assertEquals(taken[0]?.hostName, "gpu-01");
  const shown = standingsSchema.parse(await (await hive.get("/api/v1/herd/agents")).json());
  assertEquals(shown.agents, taken);
});

Deno.test("the API suspects, clears and blacklists, each recorded first", async () => {
  await using hive = await openTestHive();
  const { id, fingerprint } = await herdAgent(hive.store);
  const state = async (act: string): Promise<string> =>
    standingSchema.parse(await send(hive, `/herd/agents/${id}/${act}`)).state;
  assertEquals(await state("suspect"), "suspect");
  assertEquals(await state("clear"), "newcomer");
  assertEquals(await state("blacklist"), "blacklisted");
  assertEquals((await hive.store.certificate(fingerprint))?.revoked, true);
  assertEquals(actions(hive).filter((line) => line.startsWith("herd.")).sort(), [
    "herd.blacklist allowed",
    "herd.clear allowed",
    "herd.suspect allowed",
  ]);
});

Deno.test("the API makes an antibody of an alert, confirms it, and pulls it back", async () => {
  await using hive = await openTestHive();
  const agent = await herdAgent(hive.store);
  const alertId = await agent.alert(HERD_PATH, { timeMs: hive.clock.nowMs() });
  const made = antibodySchema.parse(
    await send(hive, "/herd/antibodies", {
      type: "path",
      value: HERD_PATH,
      action: "watch",
      reason: "a miner",
      evidence: [alertId],
      hours: 24,
    }),
  );
  assertEquals([made.stage, made.action, made.proposedBy], ["canary", "watch", null]);
  const act = async (what: string, body: unknown = {}): Promise<unknown> =>
    antibodySchema.parse(await send(hive, `/herd/antibodies/${made.id}/${what}`, body)).stage;
  assertEquals(await act("confirm"), "canary");
  assertEquals(await act("pull", { why: "a backup", isFalse: true }), "pulled");
  const { antibodies } = antibodiesSchema.parse(
    await (await hive.get("/api/v1/herd/antibodies")).json(),
  );
  assertEquals(antibodies.map(({ why, confirmed }) => [why, confirmed]), [[
    "false: a backup",
    true,
  ]]);
  const again = await send(hive, `/alerts/${alertId}/verdict`, { isTrue: false });
  assertEquals((again as { error: { code: string } }).error.code, "HERD_REFUSED", "judged already");
  assertEquals(actions(hive).includes("herd.judge failed"), true);
});
