import { assert, assertEquals, assertRejects } from "@std/assert";
import { generateKeyPairSync } from "node:crypto";
import { antibodyRuleId } from "../../common/herd/antibody.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import type { Alert } from "../../common/wire/mod.ts";
import { type Proposal, signGenesis } from "../herd/mod.ts";
import { alertRecord, enrolled, sampleAlert, sampleBatch } from "./_batches_test_support.ts";
import type { Store } from "./store.ts";

type Case = readonly [name: string, test: (store: Store) => Promise<void>];

const KEY = generateKeyPairSync("ed25519").privateKey;
/** What the alerts here are about. */
export const HERD_PATH = "/var/tmp/.cache/miner";

/** An agent that delivers alerts. */
export interface HerdAgent {
  readonly id: string;
  readonly hostId: string;
  readonly fingerprint: string;
  /** Delivers an alert whose event has a path; gives its id. */
  alert(path: string, changes?: { readonly ruleId?: string; readonly timeMs?: number }): Promise<
    string
  >;
}

let alerts = 0x1000;

/** Enrols an agent that delivers alerts. */
export async function herdAgent(store: Store): Promise<HerdAgent> {
  const { id, hostId, fingerprint } = await enrolled(store);
  let first = 1;
  return {
    id,
    hostId,
    fingerprint,
    async alert(path, { ruleId = "a-rule", timeMs = Date.now() } = {}): Promise<string> {
      const alert = alertOf(path, { hostId, ruleId, timeMs });
      const bytes = sampleBatch({ first: first++, records: [alertRecord(alert)], hostId });
      await store.append({ agentId: id, bytes });
      return alert.id;
    },
  };
}

/** An alert whose event has a path. */
export function alertOf(
  path: string,
  { hostId, ruleId, timeMs }: {
    readonly hostId: string;
    readonly ruleId: string;
    readonly timeMs: number;
  },
): Alert {
  const time = new Date(timeMs).toISOString();
  const alert = sampleAlert(alerts++, { hostId, time });
  const { process } = alert;
  return {
    ...alert,
    rule: { id: ruleId, title: "A rule" },
    process: { ...process, executable: path },
  } as Alert;
}

/** Agents of a genesis set. */
async function elders(store: Store, count: number): Promise<readonly HerdAgent[]> {
  const agents: HerdAgent[] = [];
  for (let i = 0; i < count; i++) agents.push(await herdAgent(store));
  const ids = agents.map(({ id }) => id);
  await store.herd("genesis", signGenesis({ number: 1, agents: ids }, KEY));
  return agents;
}

async function proposalOf(agent: HerdAgent): Promise<Proposal & { readonly by: string }> {
  return {
    by: agent.id,
    entry: { type: "path", value: HERD_PATH },
    action: "block",
    reason: "seen in an attack",
    evidence: [await agent.alert(HERD_PATH)],
    lifetimeMs: 3_600_000,
  };
}

async function refused(work: Promise<unknown>, why: RegExp): Promise<void> {
  const error = await assertRejects(() => work, ImmuneError);
  assertEquals(error.code, "HERD_REFUSED");
  assert(why.test(error.message), error.message);
}

/** What every store must do with the herd. */
export const HERD: readonly Case[] = [
  ["herd() keeps vouches, and counts one voucher once", async (store) => {
    const [a, b, c] = await elders(store, 3);
    assert(a !== undefined && b !== undefined && c !== undefined);
    const joined = await herdAgent(store);
    await store.herd("vouch", { by: a.id, of: joined.id });
    await refused(store.herd("vouch", { by: a.id, of: joined.id }), /counts once/);
    await store.herd("vouch", { by: b.id, of: joined.id });
    const standing = await store.herd("vouch", { by: c.id, of: joined.id });
    assertEquals([standing.state, standing.vouchers, standing.counts], ["member", 3, true]);
  }],
  ["herd() takes one of two equal words that come at the same instant", async (store) => {
    const [a] = await elders(store, 1);
    const joined = await herdAgent(store);
    const words = Array.from(
      { length: 20 },
      () => store.herd("vouch", { by: a?.id ?? "", of: joined.id }),
    );
    const settled = await Promise.allSettled(words);
    assertEquals(settled.filter(({ status }) => status === "fulfilled").length, 1);
    const [, standing] = await store.herd("standings", undefined);
    assertEquals(Math.round((standing?.trust ?? 0) * 1000), 400);
  }],
  ["herd() blacklists and revokes at once", async (store) => {
    const agent = await herdAgent(store);
    assertEquals((await store.herd("blacklist", agent.id)).state, "blacklisted");
    assertEquals((await store.certificate(agent.fingerprint))?.revoked, true);
    assertEquals((await store.agents()).map(({ revoked }) => revoked), [true]);
    await refused(store.herd("blacklist", agent.id), /blacklisted/);
  }],
  ["herd() counts an agent that was revoked for nothing", async (store) => {
    const [a, b] = await elders(store, 2);
    await store.revokeAgent(a?.id ?? "");
    await refused(store.herd("vouch", { by: a?.id ?? "", of: b?.id ?? "" }), /blacklisted/);
  }],
  ["herd() takes an antibody from a proposal to the hosts and back", async (store) => {
    const agents = await elders(store, 3);
    const [a, b, c] = agents;
    assert(a !== undefined && b !== undefined && c !== undefined);
    const { antibody: { id } } = await store.herd("propose", await proposalOf(a));
    for (const agent of [b, c]) {
      const alertId = await agent.alert(HERD_PATH);
      await store.herd("support", { by: agent.id, antibodyId: id, alertId });
    }
    const [view] = await store.herd("antibodies", undefined);
    assertEquals([view?.stage, view?.supporters, view?.quorum], ["canary", 3, 3]);
    const sets = await Promise.all(agents.map((agent) => store.herd("inForce", agent.id)));
    assertEquals(sets.flatMap(({ antibodies }) => antibodies).length, 1);
    const pulled = { antibodyId: id, why: "a backup", isFalse: true };
    assertEquals((await store.herd("pull", pulled)).stage, "pulled");
    const after = await store.herd("inForce", a.id);
    assertEquals([after.antibodies, after.number], [[], (sets[0]?.number ?? 0) + 1]);
    const [standing] = await store.herd("standings", undefined);
    assertEquals(Math.round((standing?.trust ?? 0) * 1000), 900);
  }],
  ["herd() takes only evidence that its speaker delivered", async (store) => {
    const [a, b] = await elders(store, 2);
    assert(a !== undefined && b !== undefined);
    const proposal = await proposalOf(a);
    await refused(store.herd("propose", { ...proposal, by: b.id }), /no detection of its own/);
    const evidence = ["f".repeat(32)];
    await refused(store.herd("propose", { ...proposal, evidence }), /no detection of its own/);
    assertEquals(await store.herd("antibodies", undefined), []);
  }],
  ["herd() lets the brake see what hosts match", async (store) => {
    const agents = await elders(store, 3);
    const [a, b, c] = agents;
    assert(a !== undefined && b !== undefined && c !== undefined);
    const { antibody: { id } } = await store.herd("propose", await proposalOf(a));
    await store.herd("approve", id);
    assertEquals(await store.herd("tick", undefined), []);
    const ruleId = antibodyRuleId(id);
    for (const agent of [b, c]) await agent.alert("/opt/good", { ruleId, timeMs: Date.now() + 1 });
    const sets = await Promise.all(agents.map((agent) => store.herd("inForce", agent.id)));
    const isBorn = sets[0]?.antibodies.length === 1;
    const changed = await store.herd("tick", undefined);
    assertEquals(changed.map(({ stage }) => stage), isBorn ? [] : ["pulled"]);
  }],
  ["herd() does not know what is no call", async (store) => {
    await assertRejects(() => store.herd("constructor" as "tick", undefined), ImmuneError);
  }],
];
