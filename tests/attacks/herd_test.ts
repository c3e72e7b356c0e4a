import { generateKeyPairSync } from "node:crypto";
import { antibodyRuleId } from "../../common/herd/antibody.ts";
import { HERD_WORDS_MAX } from "../../hive/intake/bounds.ts";
import type { LintProblem } from "../../common/herd/mod.ts";
import { HERD_LIMITS, type HerdReason } from "../../hive/herd/mod.ts";
import { AttackedHerd, MINER } from "./_herd.ts";
import { type Attack, attackTable } from "./table.ts";

/** What the agents' port and the API answer to what the herd does not take. */
const refused = (reason: HerdReason | LintProblem["kind"]): string => `403 HERD_REFUSED ${reason}`;
const OTHER_KEY = generateKeyPairSync("ed25519").privateKey;
const RULE = (detection: string): string =>
  `title: X\nlogsource: { product: linux, category: process_creation }\n` +
  `detection:\n  s: { ${detection} }\n  condition: s\n`;

/** What a newcomer, or one who counts, tries to make of its word. */
const TRUST: readonly Attack<AttackedHerd>[] = [
  {
    tries: "one voucher speaks three times",
    refused: `200 without a code, ${refused("repeated")}, ${refused("repeated")}; newcomer`,
    attempt: async (herd) => {
      const heard: string[] = [];
      for (let i = 0; i < 3; i++) heard.push(await herd.vouch(herd.elder(0), herd.newcomer(0)));
      const standings = await herd.store.herd("standings", undefined);
      const { id } = herd.newcomer(0);
      return `${heard.join(", ")}; ${standings.find(({ agentId }) => agentId === id)?.state}`;
    },
  },
  {
    tries: "an agent vouches for itself",
    refused: refused("self"),
    attempt: (herd) => herd.vouch(herd.elder(0), herd.elder(0)),
  },
  {
    tries: "a ring of bought identities vouch for each other",
    refused: refused("newcomer"),
    attempt: async (herd) => {
      const heard = new Set<string>();
      for (const by of herd.newcomers) {
        for (const of of herd.newcomers) if (by !== of) heard.add(await herd.vouch(by, of));
      }
      return [...heard].join();
    },
  },
  {
    tries: "a voucher vouches for more than its bound",
    refused: refused("budget"),
    attempt: async (herd) => {
      let heard = "";
      for (const of of herd.newcomers) heard = await herd.vouch(herd.elder(0), of);
      return heard;
    },
  },
  {
    tries: "a newcomer with three vouchers brings another in on its first day",
    refused: refused("probation"),
    attempt: async (herd) => {
      for (const by of herd.elders.slice(0, 4)) await herd.vouch(by, herd.newcomer(0));
      return await herd.vouch(herd.newcomer(0), herd.newcomer(1));
    },
  },
  {
    tries: "an agent vouches in the name of another",
    refused: "400 INPUT_MALFORMED",
    attempt: (herd) => {
      const word = { call: "vouch", of: herd.newcomer(1).id, by: herd.elder(0).id };
      return herd.send(herd.newcomer(0), JSON.stringify(word));
    },
  },
  {
    tries: "one agent storms with reports",
    refused: "429 RATE_LIMITED; member",
    attempt: async (herd) => {
      let heard = "";
      for (let i = 0; i <= HERD_WORDS_MAX; i++) {
        heard = await herd.report(herd.elder(0), herd.elder(1));
      }
      const [, target] = await herd.store.herd("standings", undefined);
      return `${heard}; ${target?.state}`;
    },
  },
  {
    tries: "newcomers report a member away",
    refused: refused("newcomer"),
    attempt: async (herd) => {
      let heard = "";
      for (const by of herd.newcomers) heard = await herd.report(by, herd.elder(0));
      return heard;
    },
  },
  {
    tries: "a suspect reports and vouches",
    refused: `${refused("suspect")}, ${refused("suspect")}`,
    attempt: async (herd) => {
      await herd.store.herd("suspect", herd.elder(0).id);
      return [
        await herd.report(herd.elder(0), herd.elder(1)),
        await herd.vouch(herd.elder(0), herd.newcomer(0)),
      ].join(", ");
    },
  },
  {
    tries: "a suspect waits until it is forgotten",
    refused: refused("suspect"),
    attempt: async (herd) => {
      await herd.store.herd("suspect", herd.elder(0).id);
      herd.clock.advance(HERD_LIMITS.reportLifetimeMs * 2);
      await herd.store.herd("genesis", herd.genesis(2)).catch(() => {});
      return await herd.vouch(herd.elder(0), herd.newcomer(0));
    },
  },
  {
    tries: "a blacklisted agent speaks on with its certificate",
    refused: "403 CERTIFICATE_REFUSED",
    attempt: async (herd) => {
      await herd.store.herd("blacklist", herd.elder(0).id);
      return await herd.vouch(herd.elder(0), herd.newcomer(0));
    },
  },
  {
    tries: "a genesis set signed by another key",
    refused: refused("signature"),
    attempt: (herd) => herd.ask("/herd/genesis", { signed: herd.genesis(2, OTHER_KEY) }),
  },
  {
    tries: "a genesis set that was used before",
    refused: refused("replayed"),
    attempt: (herd) => herd.ask("/herd/genesis", { signed: herd.genesis(1) }),
  },
  {
    tries: "a genesis set whose agents were changed behind the signature",
    refused: "400 INPUT_MALFORMED",
    attempt: (herd) => {
      const signed = herd.genesis(2).replaceAll(herd.elder(0).id, herd.newcomer(0).id);
      return herd.ask("/herd/genesis", { signed });
    },
  },
  {
    tries: "someone without a token clears a suspect",
    refused: "401 AUTH_REQUIRED",
    attempt: (herd) => herd.ask(`/herd/agents/${herd.elder(0).id}/clear`, {}, "A".repeat(43)),
  },
  {
    tries: "an agent asks the operators' API with its own id as a token",
    refused: "401 AUTH_REQUIRED",
    attempt: (herd) => herd.ask(`/herd/agents/${herd.elder(1).id}/blacklist`, {}, herd.elder(0).id),
  },
];

/** What somebody tries to spread. */
const ANTIBODIES: readonly Attack<AttackedHerd>[] = [
  {
    tries: "an antibody without a detection",
    refused: refused("evidence"),
    attempt: (herd) => proposal(herd, { evidence: ["0".repeat(32)] }),
  },
  {
    tries: "an antibody on the alert of another agent",
    refused: refused("evidence"),
    attempt: async (herd) => proposal(herd, { evidence: [await herd.elder(1).alert(MINER)] }),
  },
  {
    tries: "an antibody on an alert about something else",
    refused: refused("evidence"),
    attempt: async (herd) =>
      proposal(herd, { evidence: [await herd.elder(0).alert("/opt/other")] }),
  },
  {
    tries: "an antibody on the match of an antibody",
    refused: refused("evidence"),
    attempt: async (herd) => {
      const ruleId = antibodyRuleId("1".repeat(32));
      return proposal(herd, { evidence: [await herd.elder(0).alert(MINER, { ruleId })] });
    },
  },
  {
    tries: "an antibody of a newcomer",
    refused: refused("newcomer"),
    attempt: (herd) => herd.propose(herd.newcomer(0)),
  },
  {
    tries: "an antibody that is a credential",
    refused: refused("credential"),
    attempt: (herd) => herd.propose(herd.elder(0), `/var/tmp/AKIA${"ABCDEFGHIJKLMNOP"}`),
  },
  {
    tries: "an antibody that blocks the shell",
    refused: refused("protected"),
    attempt: (herd) => herd.propose(herd.elder(0), "/usr/bin/bash"),
  },
  {
    tries: "an antibody that blocks the agent's own state",
    refused: refused("protected"),
    attempt: (herd) => herd.propose(herd.elder(0), "/var/lib/immune/agent/agent.key"),
  },
  {
    tries: "an antibody that cuts the hosts off from the hive",
    refused: refused("protected"),
    attempt: (herd) => herd.propose(herd.elder(0), "192.0.2.9", "address"),
  },
  {
    tries: "an antibody that hides loopback in an IPv6 address",
    refused: refused("shape"),
    attempt: (herd) => herd.propose(herd.elder(0), "::ffff:7f00:1", "address"),
  },
  {
    tries: "an antibody that hides the shell behind ..",
    refused: refused("shape"),
    attempt: (herd) => herd.propose(herd.elder(0), "/opt/../usr/bin/bash"),
  },
  {
    tries: "an antibody that carries code",
    refused: "400 INPUT_MALFORMED",
    attempt: (herd) => proposal(herd, { code: "rm -rf /" }),
  },
  {
    tries: "a rule that is over its bound",
    refused: "400 INPUT_MALFORMED",
    attempt: (herd) => rule(herd, `${RULE("Image: /opt/malware")}# ${"x".repeat(8192)}`),
  },
  {
    tries: "a body that is over its bound",
    refused: "400 INPUT_MALFORMED",
    attempt: (herd) => herd.send(herd.elder(0), "x".repeat(100_000)),
  },
  {
    tries: "a rule with a dangerous pattern",
    refused: refused("rule"),
    attempt: (herd) => rule(herd, RULE("CommandLine|re: '(malware+)+$'")),
  },
  {
    tries: "a rule that fires on everything",
    refused: refused("rule"),
    attempt: (herd) => rule(herd, RULE("Image|startswith: /")),
  },
  {
    tries: "a rule published without an analyst",
    refused: "proposed",
    attempt: async (herd) => {
      await rule(herd, RULE("Image: /opt/malware"));
      const antibodyId = await herd.antibodyId();
      for (const by of herd.elders.slice(1)) {
        const alertId = await by.alert(MINER);
        await herd.say(by, { call: "support", antibodyId, alertId });
      }
      return await herd.stage();
    },
  },
  {
    tries: "an antibody that holds for ever",
    refused: "400 INPUT_MALFORMED",
    attempt: (herd) => proposal(herd, { lifetimeMs: 400 * 24 * 60 * 60 * 1000 }),
  },
  {
    tries: "a supporter speaks twice to make a quorum",
    refused: `${refused("repeated")}; proposed`,
    attempt: async (herd) => {
      await herd.propose(herd.elder(0));
      const id = await herd.antibodyId();
      await herd.support(herd.elder(1), id);
      return `${await herd.support(herd.elder(1), id)}; ${await herd.stage()}`;
    },
  },
  {
    tries: "a suspect makes the quorum full",
    refused: `${refused("suspect")}; proposed`,
    attempt: async (herd) => {
      await herd.propose(herd.elder(0));
      const id = await herd.antibodyId();
      await herd.support(herd.elder(1), id);
      await herd.store.herd("suspect", herd.elder(2).id);
      return `${await herd.support(herd.elder(2), id)}; ${await herd.stage()}`;
    },
  },
  {
    tries: "an antibody that an analyst pulled back comes again",
    refused: refused("pulled"),
    attempt: async (herd) => {
      await herd.propose(herd.elder(0));
      const id = await herd.antibodyId();
      await herd.ask(`/herd/antibodies/${id}/pull`, { why: "a backup tool", isFalse: true });
      return await herd.propose(herd.elder(1));
    },
  },
  {
    tries: "an expired antibody goes on",
    refused: "0 in force, expired",
    attempt: async (herd) => {
      await published(herd);
      herd.clock.advance(2 * 24 * 60 * 60 * 1000);
      const sets = await Promise.all(herd.elders.map(({ id }) => herd.store.herd("inForce", id)));
      await herd.store.herd("tick", undefined);
      return `${sets.flatMap(({ antibodies }) => antibodies).length} in force, ${await herd
        .stage()}`;
    },
  },
  {
    tries: "the brake is evaded by one match a day",
    refused: "pulled",
    attempt: async (herd) => {
      const id = await published(herd);
      // All have it, behind the time of the canary hosts.
      herd.clock.advance(HERD_LIMITS.canaryMs);
      await herd.store.herd("tick", undefined);
      for (const agent of herd.elders.slice(3)) {
        herd.clock.advance(6 * 60 * 60 * 1000);
        const timeMs = herd.clock.nowMs();
        await agent.alert("/opt/good", { ruleId: antibodyRuleId(id), timeMs });
        await herd.store.herd("tick", undefined);
      }
      return await herd.stage();
    },
  },
  {
    tries: "suspects pull the brake of an antibody that works",
    refused: "all",
    attempt: async (herd) => {
      const id = await published(herd);
      herd.clock.advance(HERD_LIMITS.canaryMs);
      await herd.store.herd("tick", undefined);
      for (const agent of herd.elders.slice(3)) {
        await herd.store.herd("suspect", agent.id);
        const timeMs = herd.clock.nowMs();
        await agent.alert("/opt/good", { ruleId: antibodyRuleId(id), timeMs });
      }
      await herd.store.herd("tick", undefined);
      return await herd.stage();
    },
  },
  {
    tries: "newcomers object to an antibody that works",
    refused: `${refused("newcomer")}; canary`,
    attempt: async (herd) => {
      const antibodyId = await published(herd);
      let heard = "";
      for (const by of herd.newcomers) heard = await herd.say(by, { call: "object", antibodyId });
      return `${heard}; ${await herd.stage()}`;
    },
  },
  {
    tries: "an agent floods the herd with proposals",
    refused: refused("budget"),
    attempt: async (herd) => {
      let heard = "";
      for (let i = 0; i <= HERD_LIMITS.proposalsPerDay; i++) {
        heard = await herd.propose(herd.elder(0), `/var/tmp/${i}/x`);
      }
      return heard;
    },
  },
];

async function proposal(herd: AttackedHerd, more: object): Promise<string> {
  const word = {
    call: "propose",
    entry: { type: "path", value: MINER },
    action: "block",
    reason: "",
    evidence: [await herd.elder(0).alert(MINER)],
    lifetimeMs: 3_600_000,
    ...more,
  };
  return await herd.send(herd.elder(0), JSON.stringify(word));
}

function rule(herd: AttackedHerd, value: string): Promise<string> {
  return proposal(herd, { entry: { type: "rule", value } });
}

/** An antibody on the canary hosts, by a quorum. */
async function published(herd: AttackedHerd): Promise<string> {
  await herd.propose(herd.elder(0));
  const id = await herd.antibodyId();
  for (const by of herd.elders.slice(1, 3)) await herd.support(by, id);
  return id;
}

attackTable({
  subject: "the herd",
  against: async (attack) => {
    const folder = await Deno.makeTempDir({ prefix: "immune-herd-" });
    const herd = await AttackedHerd.open(folder);
    try {
      await attack(herd);
    } finally {
      await herd.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
}, [...TRUST, ...ANTIBODIES]);
