import { generateKeyPairSync } from "node:crypto";
import { FakeClock } from "../../common/config/clock.ts";
import { AuditLog } from "../../common/audit/mod.ts";
import { NO_OWN_THINGS } from "../../common/herd/mod.ts";
import type { HerdWord } from "../../common/herd/word.ts";
import { type Api, createApi } from "../../hive/api/mod.ts";
import { HERD_REFUSALS, signGenesis } from "../../hive/herd/mod.ts";
import { createIntake } from "../../hive/intake/app.ts";
import { hashSecret, newSecret, Operators } from "../../hive/operators/mod.ts";
import { type HerdAgent, herdAgent } from "../../hive/store/_herd_test_support.ts";
import { SqliteStore } from "../../hive/store/mod.ts";
import { told } from "./table.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** What real detections here are about. */
export const MINER = "/var/tmp/.cache/miner";

/** A herd as a hive has it: agents speak through the agents' app, people through the API. */
export class AttackedHerd {
  readonly clock = new FakeClock(Date.now());
  readonly store: SqliteStore;
  /** Agents of the genesis set; they count. */
  readonly elders: HerdAgent[] = [];
  /** Agents that have just joined, with no voucher. */
  readonly newcomers: HerdAgent[] = [];
  readonly genesisKey = generateKeyPairSync("ed25519").privateKey;
  readonly token = newSecret();
  readonly #api: Api;
  readonly #intake: ReturnType<typeof createIntake>;
  readonly #audit: AuditLog;
  #speaker: HerdAgent | undefined;

  private constructor(folder: string) {
    const { clock } = this;
    this.store = new SqliteStore(`${folder}/store.db`, { clock });
    this.#audit = AuditLog.open(`${folder}/audit`, { clock });
    const audit = this.#audit;
    const operators = new Operators({
      tokenHash: hashSecret(this.token),
      store: this.store,
      audit,
      clock,
    });
    this.#api = createApi({ store: this.store, operators, audit, version: "9.9.9", clock });
    this.#intake = createIntake({
      store: this.store,
      clock,
      source: () => ({
        fingerprint: this.#speaker?.fingerprint ?? "",
        agentId: this.#speaker?.id ?? "",
        notBeforeMs: 0,
        notAfterMs: Number.MAX_SAFE_INTEGER,
      }),
    });
  }

  static async open(folder: string): Promise<AttackedHerd> {
    const herd = new AttackedHerd(folder);
    for (let i = 0; i < 6; i++) herd.elders.push(await herdAgent(herd.store));
    for (let i = 0; i < 4; i++) herd.newcomers.push(await herdAgent(herd.store));
    await herd.store.herd("genesis", herd.genesis(1));
    await herd.store.herd("own", {
      ...NO_OWN_THINGS,
      addresses: ["192.0.2.9"],
      domains: ["hive.example.org"],
      folders: ["/var/lib/immune"],
    });
    return herd;
  }

  async close(): Promise<void> {
    await this.store.close();
    this.#audit[Symbol.dispose]();
  }

  elder(number: number): HerdAgent {
    return agentAt(this.elders, number);
  }

  newcomer(number: number): HerdAgent {
    return agentAt(this.newcomers, number);
  }

  genesis(number: number, key = this.genesisKey): string {
    return signGenesis({ number, agents: this.elders.map(({ id }) => id) }, key);
  }

  /** Sends bytes to the herd with the certificate of an agent; gives what it was told. */
  async send(agent: HerdAgent, body: string): Promise<string> {
    this.#speaker = agent;
    return await toldWhy(await this.#intake.app.request("/v1/herd", { method: "POST", body }));
  }

  say(agent: HerdAgent, word: HerdWord): Promise<string> {
    return this.send(agent, JSON.stringify(word));
  }

  vouch(agent: HerdAgent, of: HerdAgent): Promise<string> {
    return this.say(agent, { call: "vouch", of: of.id });
  }

  report(agent: HerdAgent, of: HerdAgent): Promise<string> {
    return this.say(agent, { call: "report", of: of.id });
  }

  /** Proposes to block a path, with an alert of the agent itself. */
  async propose(agent: HerdAgent, value = MINER, type: "path" | "address" = "path"): Promise<
    string
  > {
    const evidence = [await agent.alert(value, { timeMs: this.clock.nowMs() })];
    return await this.say(agent, {
      call: "propose",
      entry: { type, value },
      action: "block",
      reason: "seen in an attack",
      evidence,
      lifetimeMs: DAY_MS,
    });
  }

  async support(agent: HerdAgent, antibodyId: string): Promise<string> {
    const alertId = await agent.alert(MINER, { timeMs: this.clock.nowMs() });
    return await this.say(agent, { call: "support", antibodyId, alertId });
  }

  /** Id of the one antibody. */
  async antibodyId(): Promise<string> {
    const [view] = await this.store.herd("antibodies", undefined);
    return view?.antibody.id ?? "";
  }

  async stage(): Promise<string> {
    const [view] = await this.store.herd("antibodies", undefined);
    return view?.stage ?? "nothing";
  }

  /** Asks the operators' API; gives what was told. */
  async ask(path: string, body: unknown, token = this.token): Promise<string> {
    return await toldWhy(
      await this.#api.request(`/api/v1${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    );
  }
}

/** What an attacker hears, with the reason where the herd gives one. */
async function toldWhy(response: Response): Promise<string> {
  const text = await response.clone().text();
  const reason = Object.entries(HERD_REFUSALS).find(([, words]) => text.includes(`: ${words}"`))
    ?.[0];
  const lint = /\((shape|credential|protected|rule|expired)\)"/.exec(text)?.[1];
  return [await told(response), reason ?? lint ?? ""].join(" ").trim();
}

function agentAt(agents: readonly HerdAgent[], number: number): HerdAgent {
  const agent = agents[number];
  if (agent === undefined) throw new RangeError(`There is no agent ${number}`);
  return agent;
}
