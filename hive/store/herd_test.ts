import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { generateKeyPairSync } from "node:crypto";
import { FakeClock, ImmuneError } from "../../common/config/mod.ts";
import { antibodyRuleId } from "../../common/herd/antibody.ts";
import { MemoryLedger } from "../herd/_memory_ledger_test_support.ts";
import { evidenceOf, Herd, type HerdCall, type HerdTakes, signGenesis } from "../herd/mod.ts";
import { alertRecord, sampleBatch } from "./_batches_test_support.ts";
import { inFolder } from "./_folder_test_support.ts";
import { alertOf, HERD_PATH } from "./_herd_test_support.ts";
import { SqliteStore } from "./mod.ts";

const START_MS = Date.UTC(2026, 10, 22, 12);
const DAY_MS = 24 * 60 * 60 * 1000;
const AGENTS = 8;

const KINDS = [
  ...["vouch", "vouch", "report", "suspect", "clear", "blacklist", "judge", "propose"] as const,
  ...["support", "support", "object", "approve", "confirm", "pull", "tick", "inForce"] as const,
  ...["standings", "antibodies", "wait", "alert", "alert", "match"] as const,
];
type Deed = readonly [
  kind: typeof KINDS[number],
  a: number,
  b: number,
];

const DEED: fc.Arbitrary<Deed> = fc.tuple(
  fc.constantFrom(...KINDS),
  fc.nat(AGENTS - 1),
  fc.nat(AGENTS - 1),
);

/** The store and its model, to which the same is done. */
class Pair {
  readonly clock = new FakeClock(START_MS);
  readonly store: SqliteStore;
  readonly #ledger = new MemoryLedger();
  readonly #model = new Herd({ ledger: this.#ledger });
  readonly #ids: string[] = [];
  readonly #alerts: string[] = [];
  readonly #positions = new Map<string, number>();
  #antibodyId = "0".repeat(32);

  constructor(path: string) {
    this.store = new SqliteStore(path, { clock: this.clock });
  }

  async open(): Promise<void> {
    for (let i = 0; i < AGENTS; i++) {
      const [id, hostId] = [crypto.randomUUID(), i.toString(16).repeat(64)];
      await this.store.addAgent({ id, hostId, hostName: "gpu" }, `${i}${"f".repeat(63)}`);
      this.#ledger.join(id, { nowMs: START_MS, hostId });
      this.#ids.push(id);
    }
  }

  /** Trust that no key stands behind, so that words count from the start. */
  async trustAll(sign: (agents: readonly string[]) => string): Promise<void> {
    await this.both("genesis", sign(this.#ids.slice(0, 6)));
  }

  async both<C extends HerdCall>(call: C, given: HerdTakes<C>): Promise<unknown> {
    const nowMs = this.clock.nowMs();
    const modelled = await outcome(() => this.#model.run(call, given, { nowMs }));
    const found = await outcome(() => this.store.herd(call, given));
    assertEquals(found, modelled, call);
    return found;
  }

  async does([kind, a, b]: Deed): Promise<void> {
    const [by = "", of = ""] = [this.#ids[a], this.#ids[b]];
    const alertId = this.#alerts[(a * AGENTS + b) % Math.max(1, this.#alerts.length)] ?? "";
    const antibodyId = this.#antibodyId;
    switch (kind) {
      case "wait":
        return this.clock.advance((b + 1) * DAY_MS / 2);
      case "alert":
        return await this.#deliver(a, "a-rule");
      case "match":
        return await this.#deliver(a, antibodyRuleId(antibodyId));
      case "vouch":
      case "report":
        return void await this.both(kind, { by, of });
      case "judge":
        return void await this.both(kind, { alertId, isTrue: b % 2 === 0 });
      case "propose": {
        const found = await this.both(kind, {
          by,
          entry: { type: "path", value: HERD_PATH },
          action: "block",
          reason: "",
          evidence: [alertId || "0".repeat(32)],
          lifetimeMs: 5 * DAY_MS,
        });
        const id = (found as { antibody?: { id: string } }).antibody?.id;
        this.#antibodyId = id ?? antibodyId;
        return;
      }
      case "support":
        return void await this.both(kind, { by, antibodyId, alertId });
      case "object":
        return void await this.both(kind, { by, antibodyId });
      case "pull":
        return void await this.both(kind, { antibodyId, why: "no", isFalse: b % 2 === 0 });
      case "approve":
      case "confirm":
        return void await this.both(kind, antibodyId);
      case "tick":
      case "standings":
      case "antibodies":
        return void await this.both(kind, undefined);
      case "suspect":
      case "clear":
      case "blacklist":
      case "inForce":
        return void await this.both(kind, by);
    }
  }

  /** What a revoked agent sends is not stored, and so not seen by the model. */
  async #deliver(index: number, ruleId: string): Promise<void> {
    const [agentId = "", hostId] = [this.#ids[index], index.toString(16).repeat(64)];
    const timeMs = this.clock.nowMs();
    const alert = alertOf(HERD_PATH, { hostId, ruleId, timeMs });
    const first = (this.#positions.get(agentId) ?? 0) + 1;
    const bytes = sampleBatch({ first, records: [alertRecord(alert)], hostId });
    try {
      await this.store.append({ agentId, bytes });
    } catch {
      return;
    }
    this.#positions.set(agentId, first);
    this.#alerts.push(alert.id);
    this.#ledger.addEvidence(evidenceOf(alert, agentId));
    this.#ledger.addMatch(ruleId, { hostId, timeMs });
  }
}

async function outcome(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ImmuneError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

Deno.test("SqliteStore.herd() does what the model does, whatever is said", async () => {
  const { privateKey } = generateKeyPairSync("ed25519");
  await fc.assert(
    fc.asyncProperty(
      fc.array(DEED, { minLength: 40, maxLength: 120 }),
      (deeds) =>
        inFolder(async (folder) => {
          const pair = new Pair(`${folder}/store.db`);
          try {
            await pair.open();
            await pair.trustAll((agents) => signGenesis({ number: 1, agents }, privateKey));
            for (const deed of deeds) await pair.does(deed);
            await pair.both("standings", undefined);
            await pair.both("antibodies", undefined);
          } finally {
            await pair.store.close();
          }
        }),
    ),
    { numRuns: 25 },
  );
});

Deno.test("SqliteStore.herd() keeps the herd over a restart", () =>
  inFolder(async (folder) => {
    const path = `${folder}/store.db`;
    const clock = new FakeClock(START_MS);
    const id = crypto.randomUUID();
    {
      const store = new SqliteStore(path, { clock });
      await store.addAgent({ id, hostId: "a".repeat(64), hostName: "gpu" }, "f".repeat(64));
      await store.herd("suspect", id);
      await store.close();
    }
    const store = new SqliteStore(path, { clock });
    const [standing] = await store.herd("standings", undefined);
    assertEquals(standing?.state, "suspect");
    await store.close();
  }));
