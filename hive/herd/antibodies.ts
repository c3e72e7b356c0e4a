import {
  type Antibody,
  type AntibodyAction,
  antibodyId,
  type Entry,
} from "../../common/herd/antibody.ts";
import { lintAntibody } from "../../common/herd/lint.ts";
import { NO_OWN_THINGS, type OwnThings } from "../../common/herd/protected.ts";
import { badRule } from "../../common/herd/rule_lint.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { shows } from "./evidence.ts";
import type { AntibodyRow, Evidence, HerdLedger, Stage, Vote } from "./ledger.ts";
import { HerdRefusal } from "./refusal.ts";
import { bornOn, canaryAgents, nextStage, STAGES_IN_FORCE, STAGES_OPEN } from "./stages.ts";
import type { Trust } from "./trust.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** What somebody wants the herd to have. */
export interface Proposal {
  readonly entry: Entry;
  readonly action: AntibodyAction;
  readonly reason: string;
  /** Alerts that it was born of; at least one. */
  readonly evidence: readonly string[];
  /** How long it is to hold, in milliseconds. */
  readonly lifetimeMs: number;
}

/** What an analyst wants the herd to have. */
export interface Made extends Proposal {
  /** Its matches are right, whatever the fleet does all day: no look, no brake. Default false. */
  readonly confirmed?: boolean | undefined;
}

/** An antibody that was not yet held against what is ordinary. */
export interface Unchecked {
  readonly antibody: Antibody;
  /** Ids of the hosts that it was born on: they do not count. */
  readonly born: readonly string[];
}

/** What was found of what is ordinary. */
export interface Found {
  /** Hosts that were looked at. */
  readonly looked: number;
  /** Those of them that have such events, and no alert of them. */
  readonly hosts: number;
  /** Unix time in milliseconds. */
  readonly nowMs: number;
}

/** What hosts are to have. */
export interface HerdSets {
  /** Counts up with every change. */
  readonly number: number;
  /** What every host has. */
  readonly fleet: readonly Antibody[];
  /** What canary hosts have besides. */
  readonly hosts: readonly { readonly hostId: string; readonly antibodies: readonly Antibody[] }[];
}

/** An agent's word on an antibody. */
export interface AntibodyWord {
  readonly by: string;
  readonly antibodyId: string;
  /** The agent's own alert that shows it; left out for an objection. */
  readonly alertId?: string;
  readonly nowMs: number;
}

/** Options of {@linkcode Antibodies}. */
export interface AntibodiesOptions {
  readonly ledger: HerdLedger;
  readonly trust: Trust;
}

/** What the herd shares: from a detection to all hosts, and back. */
export class Antibodies {
  readonly #ledger: HerdLedger;
  readonly #trust: Trust;
  /** What no antibody may hit. */
  own: OwnThings = NO_OWN_THINGS;

  /** @param options Where the state is, and who counts. */
  constructor({ ledger, trust }: AntibodiesOptions) {
    this.#ledger = ledger;
    this.#trust = trust;
  }

  /**
   * An agent proposes an antibody, with a detection of its own. That is its vote too.
   *
   * @param proposal What.
   * @param from `by`: the agent; `nowMs`: Unix time in milliseconds.
   * @throws {HerdRefusal} who may not speak, `lint`, `evidence`, `repeated`, `pulled`, `budget`,
   * `full`.
   */
  propose(
    proposal: Proposal,
    { by, nowMs }: { readonly by: string; readonly nowMs: number },
  ): AntibodyRow {
    const what = "propose an antibody";
    const { agentId, hostId } = this.#trust.speaker(by, { nowMs, what });
    const antibody = this.#made(proposal, { nowMs, what });
    const shown = proposal.evidence.map((alertId) =>
      this.#shown(alertId, { entry: antibody, nowMs, what })
    );
    if (shown.some((evidence) => evidence.agentId !== agentId)) {
      throw new HerdRefusal("evidence", what);
    }
    this.#checkPlace(antibody, { nowMs, what, byAnalyst: false });
    const today = this.#ledger.proposalsBy(agentId, nowMs - DAY_MS);
    if (today >= this.#trust.limits.proposalsPerDay) throw new HerdRefusal("budget", what);
    const row = this.#put(antibody, { proposedBy: agentId, stage: "proposed", nowMs });
    const [alertId = ""] = proposal.evidence;
    this.#ledger.putVote({
      antibodyId: antibody.id,
      agentId,
      hostId,
      alertId,
      isFor: true,
      atMs: nowMs,
    });
    return this.#decide(row, nowMs);
  }

  /**
   * An analyst makes an antibody of alerts, which are confirmed by that. It goes to the canary
   * hosts.
   *
   * @param proposal What.
   * @param nowMs Unix time in milliseconds.
   * @throws {HerdRefusal} `lint`, `evidence`, `repeated`, `full`.
   */
  create({ confirmed = false, ...proposal }: Made, nowMs: number): AntibodyRow {
    const what = "make an antibody";
    const antibody = this.#made(proposal, { nowMs, what });
    for (const id of proposal.evidence) this.#shown(id, { entry: antibody, nowMs, what });
    this.#checkPlace(antibody, { nowMs, what, byAnalyst: true });
    this.#put(antibody, { proposedBy: null, stage: "proposed", nowMs });
    const row = this.approve(antibody.id, nowMs);
    return confirmed ? this.confirm(antibody.id) : row;
  }

  /**
   * An agent that counts has the same detection. Enough of them are a quorum.
   *
   * @param word Who, on what, with which alert.
   * @throws {HerdRefusal} who may not speak, `unknown`, `state`, `evidence`, `repeated`,
   * `same_host`.
   */
  support({ by, antibodyId: id, alertId = "", nowMs }: AntibodyWord): AntibodyRow {
    const what = `support antibody "${id}"`;
    const { agentId, hostId } = this.#trust.speaker(by, { nowMs, what });
    const row = this.#row(id, what);
    if (row.stage !== "proposed") throw new HerdRefusal("state", what);
    const evidence = this.#shown(alertId, { entry: row.antibody, nowMs, what });
    if (evidence.agentId !== agentId) throw new HerdRefusal("evidence", what);
    const votes = this.#ledger.votes(id).filter(({ isFor }) => isFor);
    if (votes.some((vote) => vote.agentId === agentId)) throw new HerdRefusal("repeated", what);
    if (votes.some((vote) => vote.hostId === hostId)) throw new HerdRefusal("same_host", what);
    const vote = { antibodyId: id, agentId, hostId, alertId, isFor: true, atMs: nowMs };
    this.#ledger.putVote(vote);
    return this.#decide(row, nowMs);
  }

  /**
   * An agent that counts says that an antibody in force hits what is harmless. Enough of them pull
   * it back.
   *
   * @param word Who, on what.
   * @throws {HerdRefusal} who may not speak, `unknown`, `state`, `repeated`, `same_host`.
   */
  object({ by, antibodyId: id, nowMs }: AntibodyWord): AntibodyRow {
    const what = `object to antibody "${id}"`;
    const { agentId, hostId } = this.#trust.speaker(by, { nowMs, what });
    const row = this.#row(id, what);
    if (!STAGES_OPEN.has(row.stage) || row.confirmed) throw new HerdRefusal("state", what);
    const votes = this.#ledger.votes(id).filter(({ isFor }) => !isFor);
    if (votes.some((vote) => vote.agentId === agentId)) throw new HerdRefusal("repeated", what);
    if (votes.some((vote) => vote.hostId === hostId)) throw new HerdRefusal("same_host", what);
    this.#ledger.putVote({
      antibodyId: id,
      agentId,
      hostId,
      alertId: "",
      isFor: false,
      atMs: nowMs,
    });
    const against = this.#counting(id, { isFor: false, nowMs });
    if (against < this.#trust.limits.objectionsToPull) return row;
    return this.#to(row, { stage: "pulled", why: `${against} agents object`, nowMs });
  }

  /**
   * An analyst publishes what was proposed. Its detections are confirmed by that.
   *
   * @param id The antibody.
   * @param nowMs Unix time in milliseconds.
   * @throws {HerdRefusal} `unknown`, `state`.
   */
  approve(id: string, nowMs: number): AntibodyRow {
    const what = `approve antibody "${id}"`;
    const row = this.#row(id, what);
    if (row.stage !== "proposed") throw new HerdRefusal("state", what);
    for (const alertId of this.#alertsOf(row)) {
      if (this.#ledger.verdict(alertId) === undefined) {
        this.#trust.judge(alertId, { isTrue: true, nowMs });
      }
    }
    return this.#to(row, { stage: "canary", why: "", nowMs });
  }

  /**
   * An analyst says that the matches of an antibody are right: the brake is off.
   *
   * @param id The antibody.
   * @throws {HerdRefusal} `unknown`, `state`.
   */
  confirm(id: string): AntibodyRow {
    const what = `confirm antibody "${id}"`;
    const row = this.#row(id, what);
    if (!STAGES_IN_FORCE.has(row.stage)) throw new HerdRefusal("state", what);
    const confirmed = { ...row, confirmed: true };
    this.#ledger.putAntibody(confirmed);
    // Hosts may get it now, looked at or not.
    if (!isChecked(row)) this.#ledger.nextRevision();
    return confirmed;
  }

  /**
   * An analyst pulls an antibody back.
   *
   * @param id The antibody.
   * @param by `why`; `isFalse`: who proposed and supported it loses trust; `nowMs`.
   * @throws {HerdRefusal} `unknown`, `state`.
   */
  pull(
    id: string,
    by: { readonly why: string; readonly isFalse: boolean; readonly nowMs: number },
  ): AntibodyRow {
    const what = `pull back antibody "${id}"`;
    const row = this.#row(id, what);
    if (row.stage === "expired") throw new HerdRefusal("state", what);
    if (row.stage === "pulled" && !by.isFalse) throw new HerdRefusal("state", what);
    if (by.isFalse) {
      const loss = this.#trust.limits.refutedLoss;
      const voters = this.#ledger.votes(id).filter(({ isFor }) => isFor);
      if (row.why.startsWith(REFUTED)) throw new HerdRefusal("repeated", what);
      for (const { agentId } of voters) this.#trust.punish(agentId, { loss, nowMs: by.nowMs });
    }
    const why = by.isFalse ? `${REFUTED}${by.why}` : by.why;
    return this.#to(row, { stage: "pulled", why, nowMs: by.nowMs });
  }

  /**
   * Lets time do its work: expiry, the brake, canary hosts to all; what is over long enough goes.
   *
   * @param nowMs Unix time in milliseconds.
   * @returns What changed.
   */
  tick(nowMs: number): readonly AntibodyRow[] {
    const facts = { ledger: this.#ledger, limits: this.#trust.limits, nowMs };
    const changed: AntibodyRow[] = [];
    for (const row of this.#ledger.antibodies()) {
      const next = nextStage(row, facts);
      if (next !== undefined) changed.push(this.#to(row, { ...next, nowMs }));
      else if (!STAGES_OPEN.has(row.stage) && nowMs - row.stageMs > this.#trust.limits.pulledMs) {
        this.#ledger.dropAntibody(row.antibody.id);
      }
    }
    return changed;
  }

  /**
   * What an agent is to have.
   *
   * @param agentId Its id.
   * @param nowMs Unix time in milliseconds.
   * @returns Number of the set, which counts up, and its antibodies.
   */
  inForce(
    agentId: string,
    nowMs: number,
  ): { readonly number: number; readonly antibodies: readonly Antibody[] } {
    const { limits } = this.#trust;
    const members = this.#ledger.members();
    const antibodies = this.#ledger.antibodies().filter((row) => {
      if (row.antibody.expiresMs <= nowMs) return false;
      if (row.stage === "canary") return canaryAgents(row, { members, limits }).has(agentId);
      return row.stage === "all";
    }).map(({ antibody }) => antibody);
    return { number: this.#ledger.revision(), antibodies };
  }

  /**
   * What hosts are to have: what every host has, and what each canary host has besides.
   *
   * @param nowMs Unix time in milliseconds.
   */
  sets(nowMs: number): HerdSets {
    const { limits } = this.#trust;
    const members = this.#ledger.members();
    const hostOf = new Map(members.map(({ agentId, hostId }) => [agentId, hostId]));
    const rows = this.#ledger.antibodies().filter((row) =>
      STAGES_IN_FORCE.has(row.stage) && row.antibody.expiresMs > nowMs && isChecked(row)
    );
    const byHost = new Map<string, Set<Antibody>>();
    for (const row of rows) {
      if (row.stage !== "canary") continue;
      for (const agentId of canaryAgents(row, { members, limits })) {
        const hostId = hostOf.get(agentId) ?? "";
        // Two agents of one host have it once.
        byHost.set(hostId, (byHost.get(hostId) ?? new Set()).add(row.antibody));
      }
    }
    return {
      number: this.#ledger.revision(),
      fleet: rows.filter(({ stage }) => stage === "all").map(({ antibody }) => antibody),
      hosts: [...byHost].map(([hostId, own]) => ({ hostId, antibodies: [...own] })),
    };
  }

  /**
   * What has to be held against the fleet's ordinary events before a host gets it: not what an
   * analyst confirmed.
   */
  unchecked(): readonly Unchecked[] {
    return this.#ledger.antibodies()
      .filter((row) => STAGES_IN_FORCE.has(row.stage) && !isChecked(row))
      .map((row) => ({ antibody: row.antibody, born: [...bornOn(row, this.#ledger)] }));
  }

  /**
   * Takes what was found of it. Where too many hosts have it as something ordinary it is pulled
   * back, and no host gets it.
   *
   * @param id The antibody.
   * @param found Hosts that were looked at, those of them that have it, and the time.
   * @returns The antibody; `undefined` = it is gone meanwhile.
   */
  checked(id: string, found: Found): AntibodyRow | undefined {
    const row = this.#ledger.antibody(id);
    if (row === undefined || !STAGES_IN_FORCE.has(row.stage)) return row;
    const checked = { ...row, checked: true };
    const { looked, hosts, nowMs } = found;
    if (!row.confirmed && hosts > 0 && hosts >= looked * this.#trust.limits.brakeShare) {
      const why = `ordinary: ${hosts} of ${looked} hosts have such events, and no alert of them`;
      return this.#to(checked, { stage: "pulled", why, nowMs });
    }
    this.#ledger.putAntibody(checked);
    this.#ledger.nextRevision();
    return checked;
  }

  #made(
    { entry, action, reason, evidence, lifetimeMs }: Proposal,
    { nowMs, what }: { readonly nowMs: number; readonly what: string },
  ): Antibody {
    const { type, value } = entry;
    const antibody = {
      id: antibodyId(entry),
      type,
      value,
      action,
      reason,
      evidence: [...new Set(evidence)],
      madeMs: nowMs,
      expiresMs: nowMs + lifetimeMs,
    };
    const problem = lintAntibody(antibody, { nowMs, own: this.own, rule: badRule });
    if (problem === undefined) return antibody;
    throw new ImmuneError("HERD_REFUSED", `Cannot ${what}: ${problem.message} (${problem.kind})`);
  }

  #shown(
    alertId: string,
    { entry, nowMs, what }: {
      readonly entry: Entry;
      readonly nowMs: number;
      readonly what: string;
    },
  ): Evidence {
    const evidence = this.#ledger.evidence(alertId);
    const { limits } = this.#trust;
    const isRefuted = this.#ledger.verdict(alertId)?.isTrue === false;
    if (evidence === undefined || isRefuted || !shows(evidence, { entry, nowMs, limits })) {
      throw new HerdRefusal("evidence", what);
    }
    return evidence;
  }

  #checkPlace(
    antibody: Antibody,
    { nowMs, what, byAnalyst }: {
      readonly nowMs: number;
      readonly what: string;
      readonly byAnalyst: boolean;
    },
  ): void {
    const { limits } = this.#trust;
    const row = this.#ledger.antibody(antibody.id);
    if (row !== undefined && STAGES_OPEN.has(row.stage) && row.antibody.expiresMs > nowMs) {
      throw new HerdRefusal("repeated", what);
    }
    const isPulled = row?.stage === "pulled" && nowMs - row.stageMs < limits.pulledMs;
    if (isPulled && !byAnalyst) throw new HerdRefusal("pulled", what);
    const open = this.#ledger.antibodies().filter(({ stage }) => STAGES_OPEN.has(stage))
      .map((other) => other.antibody);
    // All of them fit in one set, or hosts could not be told.
    const bytes = [...open, antibody].reduce((sum, one) => sum + bytesOf(one), 0);
    if (open.length >= limits.antibodiesMax || bytes > limits.antibodyBytesMax) {
      throw new HerdRefusal("full", what);
    }
  }

  #put(
    antibody: Antibody,
    { proposedBy, stage, nowMs }: {
      readonly proposedBy: string | null;
      readonly stage: Stage;
      readonly nowMs: number;
    },
  ): AntibodyRow {
    // What was said of an earlier one of this id is over.
    this.#ledger.dropAntibody(antibody.id);
    const row = { antibody, stage, stageMs: nowMs, proposedBy, confirmed: false, why: "" };
    this.#ledger.putAntibody(row);
    return row;
  }

  /** Publishes a proposal that has its quorum. A rule, and the block of a port, need an analyst. */
  #decide(row: AntibodyRow, nowMs: number): AntibodyRow {
    const { id, type, action } = row.antibody;
    if (type === "rule" || (type === "port" && action === "block")) return row;
    if (this.#counting(id, { isFor: true, nowMs }) < this.#trust.quorum(nowMs)) return row;
    return this.#to(row, { stage: "canary", why: "", nowMs });
  }

  /** Votes of agents that count now: who turned suspect since has no vote. */
  #counting(
    id: string,
    { isFor, nowMs }: { readonly isFor: boolean; readonly nowMs: number },
  ): number {
    const counts = ({ agentId }: Vote): boolean => this.#trust.standing(agentId, nowMs).counts;
    return this.#ledger.votes(id).filter((vote) => vote.isFor === isFor && counts(vote)).length;
  }

  #to(
    row: AntibodyRow,
    { stage, why, nowMs }: { readonly stage: Stage; readonly why: string; readonly nowMs: number },
  ): AntibodyRow {
    const next = { ...row, stage, why, stageMs: nowMs };
    this.#ledger.putAntibody(next);
    const touches = STAGES_IN_FORCE.has(row.stage) || STAGES_IN_FORCE.has(stage);
    if (touches) this.#ledger.nextRevision();
    return next;
  }

  #alertsOf({ antibody }: AntibodyRow): readonly string[] {
    const votes = this.#ledger.votes(antibody.id).filter(({ isFor }) => isFor);
    return [...new Set([...antibody.evidence, ...votes.map(({ alertId }) => alertId)])];
  }

  #row(id: string, what: string): AntibodyRow {
    const row = this.#ledger.antibody(id);
    if (row === undefined) throw new HerdRefusal("unknown", what);
    return row;
  }
}

const REFUTED = "false: ";

/** Whether hosts may have it: it was looked at, or an analyst knows better. */
function isChecked({ checked, confirmed }: AntibodyRow): boolean {
  return confirmed || checked === true;
}

/** What an antibody takes up of a set, in bytes. */
function bytesOf(antibody: Antibody): number {
  return new TextEncoder().encode(JSON.stringify(antibody)).length + 1;
}
