import { assert, assertEquals } from "@std/assert";
import { generateKeyPairSync } from "node:crypto";
import { SYSTEM_CLOCK } from "../../common/config/mod.ts";
import type { Entry } from "../../common/herd/antibody.ts";
import { encodeRecord } from "../../common/record/mod.ts";
import { sampleBatch } from "../store/_batches_test_support.ts";
import { type HerdAgent, herdAgent } from "../store/_herd_test_support.ts";
import { SqliteStore } from "../store/mod.ts";
import { signGenesis } from "./genesis.ts";
import { OrdinaryLook } from "./ordinary.ts";

const PATH = "/opt/backup/run";
const RULE = `title: A backup
logsource: { product: linux, category: process_creation }
detection:
  s: { CommandLine|contains: "backup --nightly" }
  condition: s
`;
const KEY = generateKeyPairSync("ed25519").privateKey;

/** A hive's store with a fleet, the first of which has a detection. */
class Scene implements AsyncDisposable {
  readonly folder: string;
  readonly store: SqliteStore;
  readonly agents: HerdAgent[] = [];
  readonly look: OrdinaryLook;
  #positions = 1;

  private constructor(folder: string) {
    this.folder = folder;
    this.store = new SqliteStore(`${folder}/store.db`);
    this.look = new OrdinaryLook({ store: this.store, clock: SYSTEM_CLOCK });
  }

  static async open(agents: number): Promise<Scene> {
    const scene = new Scene(await Deno.makeTempDir());
    for (let i = 0; i < agents; i++) scene.agents.push(await herdAgent(scene.store));
    const ids = scene.agents.map(({ id }) => id);
    await scene.store.herd("genesis", signGenesis({ number: 1, agents: ids }, KEY));
    return scene;
  }

  agent(place: number): HerdAgent {
    const agent = this.agents[place];
    assert(agent !== undefined);
    return agent;
  }

  /** Has a host run something, an hour ago. */
  async runs(place: number, image: string, agoMs = 3_600_000): Promise<void> {
    const { id, hostId } = this.agent(place);
    const record = encodeRecord("exec", {
      header: { pid: 4446, time_ns: 5_000_000_000n },
      slots: { image, argv: `${image}\0backup --nightly\0` },
    });
    const bytes = sampleBatch({
      first: this.#positions++,
      records: [record],
      hostId,
      journalId: crypto.randomUUID().replaceAll("-", ""),
      timeMs: Date.now() - agoMs,
      losses: [],
    });
    await this.store.append({ agentId: id, bytes });
  }

  /** An analyst makes an antibody of the first host's alert, and it is looked at. */
  async made(
    entry: Entry,
    changes: { readonly confirmed?: boolean } = {},
  ): Promise<readonly [stage: string, why: string, hosts: number]> {
    const { antibody: { id } } = await this.store.herd("create", {
      entry,
      action: "watch",
      reason: "",
      evidence: [await this.agent(0).alert(entry.type === "port" ? "4446" : entry.value)],
      lifetimeMs: 3_600_000,
      ...changes,
    });
    await this.look.run();
    const rows = await this.store.herd("antibodies", undefined);
    const row = rows.find(({ antibody }) => antibody.id === id);
    const { hosts, fleet } = await this.store.herd("sets", undefined);
    return [row?.stage ?? "", row?.why ?? "", hosts.length + fleet.length];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}

const WHY = "ordinary: 1 of 1 hosts have such events, and no alert of them";

Deno.test("OrdinaryLook holds back a path that another host runs without an alert", async () => {
  await using scene = await Scene.open(3);
  await scene.runs(1, PATH);
  assertEquals(await scene.made({ type: "path", value: PATH }), ["pulled", WHY, 0]);
});

Deno.test("OrdinaryLook holds back a rule by its events, not by the texts in it", async () => {
  await using scene = await Scene.open(3);
  await scene.runs(1, PATH);
  assertEquals(await scene.made({ type: "rule", value: RULE }), ["pulled", WHY, 0]);
});

Deno.test("OrdinaryLook lets through what nobody does, and a number that is no port", async () => {
  await using scene = await Scene.open(3);
  await scene.runs(1, "/usr/bin/true");
  const [stage, , hosts] = await scene.made({ type: "path", value: PATH });
  assertEquals([stage, hosts], ["canary", 1]);
  // The pid of what ran is 4446 as well.
  assertEquals((await scene.made({ type: "port", value: "4446" }))[0], "canary");
});

Deno.test("OrdinaryLook takes a host with an alert about it for an attacked one", async () => {
  await using scene = await Scene.open(3);
  await scene.runs(1, PATH);
  await scene.agent(1).alert(PATH);
  assertEquals((await scene.made({ type: "path", value: PATH }))[0], "canary");
});

Deno.test("OrdinaryLook does not count the herd's own matches as alerts", async () => {
  await using scene = await Scene.open(3);
  await scene.runs(1, PATH);
  await scene.agent(1).alert(PATH, { ruleId: `herd-${"1".repeat(32)}` });
  assertEquals((await scene.made({ type: "path", value: PATH }))[0], "pulled");
});

Deno.test("OrdinaryLook does not count where it was born, nor what is over a day old", async () => {
  await using scene = await Scene.open(3);
  await scene.runs(0, PATH);
  await scene.runs(1, PATH, 25 * 3_600_000);
  assertEquals((await scene.made({ type: "path", value: PATH }))[0], "canary");
});

Deno.test("OrdinaryLook leaves what an analyst confirmed to the analyst", async () => {
  await using scene = await Scene.open(3);
  await scene.runs(1, PATH);
  const [stage, , hosts] = await scene.made({ type: "path", value: PATH }, { confirmed: true });
  assertEquals([stage, hosts], ["canary", 1]);
});

Deno.test("OrdinaryLook: no host gets what was not looked at yet", async () => {
  await using scene = await Scene.open(3);
  const evidence = [await scene.agent(0).alert(PATH)];
  const entry = { type: "path", value: PATH } as const;
  const proposal = { entry, action: "watch", reason: "", evidence, lifetimeMs: 3_600_000 } as const;
  await scene.store.herd("create", proposal);
  assertEquals((await scene.store.herd("sets", undefined)).hosts, []);
  await scene.look.run();
  assertEquals((await scene.store.herd("sets", undefined)).hosts.length, 1);
});
