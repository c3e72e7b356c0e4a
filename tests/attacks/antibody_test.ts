import { createHash } from "node:crypto";
import {
  directiveKey,
  FLEET,
  frame,
  type FrameOptions,
  GuardScene,
  NOW_MS,
  stopKey,
} from "../../agent/guards/_guard_test_support.ts";
import {
  antibody,
  RULE,
  setOf,
  TestHost,
  type TestSet,
} from "../../agent/herd/_herd_test_support.ts";
import { HerdInForce } from "../../agent/herd/mod.ts";
import { takeAntibodies } from "../../agent/herd/take.ts";
import { newSeed, signingKey } from "../../common/keys/mod.ts";
import { NO_OWN_THINGS } from "../../common/herd/mod.ts";
import { IndicatorStore } from "../../common/indicators/mod.ts";
import { DIRECTIVE_BODY_BYTES_MAX, sealDirective } from "../../common/wire/mod.ts";
import { type Attack, attackTable } from "./table.ts";

const MINER = antibody("path", "/var/tmp/.cache/miner");
const other = await signingKey(newSeed());
const DAY_MS = 24 * 3600 * 1000;

/** A host with guard, lint, indicators and rules as an agent has; the hive is in the attacker's hand. */
class AttackedHost {
  readonly guard: GuardScene;
  readonly #host: TestHost;
  /** What the hive gives for a hash. */
  readonly #given: Map<string, Uint8Array>;
  #number = 0;

  private constructor(
    parts: { host: TestHost; guard: GuardScene; given: Map<string, Uint8Array> },
  ) {
    this.#host = parts.host;
    this.guard = parts.guard;
    this.#given = parts.given;
  }

  static async with(
    attack: (host: AttackedHost) => Promise<void>,
    refuse: readonly "antibodies"[] = [],
  ): Promise<void> {
    await using host = await TestHost.open();
    const given = new Map<string, Uint8Array>();
    using herd = new HerdInForce({
      agent: host.agent,
      indicators: host.indicators,
      own: { ...NO_OWN_THINGS, addresses: ["192.0.2.9"], folders: ["/var/lib/immune"] },
      clock: { nowMs: () => NOW_MS, monotonicMs: () => 0, setTimer: () => ({ cancel: () => {} }) },
      // The link holds what comes against the hash that was asked for.
      fetchSet: (hash) => {
        const bytes = given.get(hash) ?? new Uint8Array();
        const isIt = createHash("sha256").update(bytes).digest("hex") === hash;
        return isIt ? Promise.resolve(bytes) : Promise.reject(new Error("its hash is another one"));
      },
      again: () => Promise.resolve(),
      take: (request) => Promise.resolve(takeAntibodies(request)),
    });
    const nothing = (): void => {};
    const none = (): Promise<string> => Promise.resolve("");
    await using guard = await GuardScene.open({
      refuse,
      acts: {
        rules: none,
        policy: none,
        sensor: none,
        antibodies: async (wanted) => {
          const { ids, refused } = await herd.take(wanted);
          return `${ids.length} taken, ${refused.map(({ kind }) => kind).join(" ")} refused`;
        },
        blocking: nothing,
        askCanary: nothing,
        report: nothing,
        cursor: nothing,
        warn: nothing,
      },
    });
    await attack(new AttackedHost({ host, guard, given }));
  }

  /** Puts a set where the host asks for it, under a hash of the attacker's choice. */
  offer({ hash, bytes }: TestSet): void {
    this.#given.set(hash, bytes);
  }

  /** An order of a set, in order but for what the options say. */
  async order(set: TestSet | null, options: FrameOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    if (set !== null) this.offer(set);
    const number = ++this.#number;
    const body = { set: set?.hash ?? null };
    return await frame({ kind: "antibodies", body }, { number, ...options });
  }

  /** What the host made of it, and how much of the herd is in force there then. */
  async give(bytes: Uint8Array): Promise<string> {
    const { guard } = this.guard;
    const before = { ...guard.state.refused };
    await guard.take(bytes);
    const cause = Object.entries(guard.state.refused)
      .find(([name, count]) => count > (before[name as keyof typeof before] ?? 0))?.[0];
    const last = guard.state.results.at(-1);
    const made = cause ?? (last?.outcome === "done" ? last.text : last?.outcome) ?? "nothing";
    return `${made}; ${this.#inForce()} in force`;
  }

  #inForce(): number {
    using store = IndicatorStore.open(this.#host.indicators);
    return (store.set.sources.get("herd") ?? 0) + this.#host.ruleFiles().length;
  }
}

/** A row that sends one antibody in a set and an order that are good. */
function spread(
  tries: string,
  { refused, of }: { readonly refused: string; readonly of: unknown },
): Attack<AttackedHost> {
  return {
    tries,
    refused: `0 taken, ${refused} refused; 0 in force`,
    attempt: async (host) => await host.give(await host.order(setOf([of]))),
  };
}

/** A row that sends a good antibody by an order that is not. */
function ordered(
  tries: string,
  { refused, ...options }: FrameOptions & { readonly refused: string },
): Attack<AttackedHost> {
  return {
    tries,
    refused: `${refused}; 0 in force`,
    attempt: async (host) => await host.give(await host.order(setOf([MINER]), options)),
  };
}

const ORDERS: readonly Attack<AttackedHost>[] = [
  {
    tries: "an antibody that was sent before, once more",
    refused: "replay; 1 in force",
    attempt: async (host) => {
      const bytes = await host.order(setOf([MINER]));
      await host.give(bytes);
      return await host.give(bytes);
    },
  },
  {
    tries: "one that was withdrawn, once more",
    refused: "replay; 0 in force",
    attempt: async (host) => {
      const bytes = await host.order(setOf([MINER]));
      await host.give(bytes);
      await host.give(await host.order(null));
      return await host.give(bytes);
    },
  },
  {
    tries: "one that was withdrawn, held back until then",
    refused: "reorder; 0 in force",
    attempt: async (host) => {
      const bytes = await host.order(setOf([MINER]));
      await host.give(await host.order(null));
      return await host.give(bytes);
    },
  },
  {
    tries: "one that was withdrawn, after the agent was killed",
    refused: "replay; 0 in force",
    attempt: async (host) => {
      const bytes = await host.order(setOf([MINER]));
      await host.give(bytes);
      await host.give(await host.order(null));
      host.guard.restart({ killed: true });
      return await host.give(bytes);
    },
  },
  ordered("an antibody signed by another key", { key: other, refused: "bad_signature" }),
  ordered("an antibody signed by the stop key", { key: stopKey, refused: "bad_signature" }),
  ordered("an antibody whose signature was made for a canary", {
    key: directiveKey,
    purpose: "canary",
    refused: "bad_signature",
  }),
  ordered("an antibody for another fleet", { fleet: "0e".repeat(16), refused: "wrong_fleet" }),
  ordered("a canary host's antibody shown to another host", {
    target: "0d".repeat(32),
    refused: "wrong_host",
  }),
  ordered("an order of antibodies that is over", {
    issuedMs: NOW_MS - DAY_MS,
    expiresMs: NOW_MS,
    refused: "expired",
  }),
  ordered("an order of antibodies that holds for a year", {
    expiresMs: NOW_MS + 365 * DAY_MS,
    refused: "expired",
  }),
  {
    tries: "an order of antibodies without a signature",
    refused: "unsigned; 0 in force",
    attempt: async (host) => {
      const bytes = (await host.order(setOf([MINER]))).slice(0, -64);
      return await host.give(sealDirective(bytes, new Uint8Array(64)));
    },
  },
  {
    tries: "another set put behind a signed order",
    refused: "failed; 0 in force",
    attempt: async (host) => {
      const bytes = await host.order(setOf([MINER]));
      host.offer({ hash: setOf([MINER]).hash, bytes: setOf([MINER], 2).bytes });
      return await host.give(bytes);
    },
  },
  {
    tries: "an order of antibodies over its bound",
    refused: "malformed; 0 in force",
    attempt: async (host) => {
      const bytes = new Uint8Array(DIRECTIVE_BODY_BYTES_MAX * 2);
      bytes.set(await host.order(setOf([MINER])));
      return await host.give(bytes);
    },
  },
];

const SETS: readonly Attack<AttackedHost>[] = [
  {
    tries: "a set over its bound",
    refused: "failed; 0 in force",
    attempt: async (host) => {
      const bytes = new TextEncoder().encode(
        JSON.stringify({ version: 1, number: 1, antibodies: [], more: "x".repeat(2 ** 20) }),
      );
      const hash = createHash("sha256").update(bytes).digest("hex");
      return await host.give(await host.order({ hash, bytes }));
    },
  },
  {
    tries: "a program in the place of a set",
    refused: "failed; 0 in force",
    attempt: async (host) => {
      const bytes = new TextEncoder().encode("#!/bin/sh\nrm -rf /\n");
      const hash = createHash("sha256").update(bytes).digest("hex");
      return await host.give(await host.order({ hash, bytes }));
    },
  },
  spread("an antibody that carries code", {
    of: { ...MINER, code: "rm -rf /" },
    refused: "shape",
  }),
  spread("a rule that is a script", {
    of: antibody("rule", "#!/bin/sh\nrm -rf /"),
    refused: "rule",
  }),
  spread("a rule that takes the id of another", {
    of: antibody("rule", RULE.replace("id: 1", "? id\n: 1")),
    refused: "rule",
  }),
  spread("a rule whose pattern takes for ever", {
    of: antibody("rule", RULE.replace('contains: "xmrig --donate"', "re: '(malware+)+$'")),
    refused: "rule",
  }),
  spread("an antibody with a credential", {
    of: antibody("path", `/var/tmp/AKIA${"ABCDEFGHIJKLMNOP"}`),
    refused: "credential",
  }),
  spread("an antibody with a credential in its reason", {
    of: { ...MINER, reason: "password=correct-horse" },
    refused: "credential",
  }),
  spread("an antibody under the id of another", {
    of: { ...MINER, id: antibody("path", "/var/tmp/else").id },
    refused: "shape",
  }),
  spread("an antibody that cuts the host off from its hive", {
    of: antibody("address", "192.0.2.9", { action: "block" }),
    refused: "protected",
  }),
  spread("an antibody of the agent's own state", {
    of: antibody("path", "/var/lib/immune/agent/command.json"),
    refused: "protected",
  }),
  spread("an antibody that blocks the shell", {
    of: antibody("path", "/usr/bin/bash", { action: "block" }),
    refused: "protected",
  }),
  {
    tries: "an antibody that has run out",
    refused: "0 taken,  refused; 0 in force",
    attempt: async (host) =>
      await host.give(await host.order(setOf([{ ...MINER, expiresMs: NOW_MS }]))),
  },
  spread("an antibody that holds for ever", {
    of: { ...MINER, expiresMs: NOW_MS + 31 * DAY_MS },
    refused: "expired",
  }),
];

attackTable({ subject: "antibodies on a host", against: AttackedHost.with }, [...ORDERS, ...SETS]);

attackTable<AttackedHost>({
  subject: "antibodies on a host that refuses them",
  against: (attack) => AttackedHost.with(attack, ["antibodies"]),
}, [
  {
    tries: `an antibody of the host's own fleet ${FLEET.slice(0, 4)}`,
    refused: "local_policy; 0 in force",
    attempt: async (host) => await host.give(await host.order(setOf([MINER]))),
  },
]);
