import type { HerdLedger, Member } from "./ledger.ts";
import { HERD_LIMITS, type HerdLimits } from "./limits.ts";
import { type HerdReason, HerdRefusal } from "./refusal.ts";
import { isHeard, moved, type Standing, standingOf, trustNow } from "./standing.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Options of {@linkcode Trust}. */
export interface TrustOptions {
  readonly ledger: HerdLedger;
  /** Default: those of this version. */
  readonly limits?: HerdLimits;
}

/** One agent speaks of another, at a time. */
export interface Said {
  /** Agent that speaks: who it is comes from its certificate. */
  readonly by: string;
  readonly of: string;
  /** Unix time in milliseconds. */
  readonly nowMs: number;
}

/** Who may add to the herd: vouches, reports, trust, suspicion and the blacklist. */
export class Trust {
  readonly #ledger: HerdLedger;
  readonly limits: HerdLimits;

  /** @param options Where the state is, and the bounds. */
  constructor({ ledger, limits = HERD_LIMITS }: TrustOptions) {
    this.#ledger = ledger;
    this.limits = limits;
  }

  /**
   * An agent's standing.
   *
   * @param agentId Its id.
   * @param nowMs Unix time in milliseconds.
   * @throws {HerdRefusal} `unknown` when there is none of this id.
   */
  standing(agentId: string, nowMs: number): Standing {
    return this.#standing(this.#known(agentId, `judge agent "${agentId}"`), nowMs);
  }

  /**
   * The standing of every agent.
   *
   * @param nowMs Unix time in milliseconds.
   */
  standings(nowMs: number): readonly Standing[] {
    // Read at once: a vote asks for all of them.
    const members = this.#ledger.members();
    const heard = new Set(members.filter(isHeard).map(({ agentId }) => agentId));
    const vouches = Map.groupBy(this.#ledger.vouches(), ({ of }) => of);
    return members.map((member) =>
      standingOf({
        member,
        vouches: vouches.get(member.agentId) ?? [],
        holds: (id) => heard.has(id),
        nowMs,
        limits: this.limits,
      })
    );
  }

  /**
   * One agent vouches for another. The word of one voucher counts once.
   *
   * @param said Who, of whom, when.
   * @throws {HerdRefusal} `self`, `unknown`, `suspect`, `blacklisted`, `newcomer`, `probation`,
   * `repeated`, `budget`.
   */
  vouch({ by, of, nowMs }: Said): Standing {
    const what = `vouch for agent "${of}"`;
    const voucher = this.speaker(by, { nowMs, what });
    if (by === of) throw new HerdRefusal("self", what);
    const agent = this.#known(of, what);
    this.#checkHeard(agent, what);
    const { vouchLifetimeMs, vouchWindowMs, vouchesPerVoucher, vouchGain } = this.limits;
    if (!voucher.genesis && nowMs - voucher.joinedMs < this.limits.probationMs) {
      throw new HerdRefusal("probation", what);
    }
    const known = this.#ledger.vouchesFor(of).find((word) => word.by === by);
    if (known !== undefined && nowMs - known.atMs < vouchLifetimeMs) {
      throw new HerdRefusal("repeated", what);
    }
    const recent = this.#ledger.vouchesBy(by).filter(({ atMs }) => nowMs - atMs < vouchWindowMs);
    if (recent.length >= vouchesPerVoucher) throw new HerdRefusal("budget", what);
    this.#ledger.putVouch({ by, of, atMs: nowMs });
    this.#move(agent, { gain: vouchGain, nowMs });
    return this.standing(of, nowMs);
  }

  /**
   * One agent reports another. Enough of them make it suspect, until an operator clears it.
   *
   * @param said Who, of whom, when.
   * @returns The reported agent's standing.
   * @throws {HerdRefusal} `self`, `unknown`, `suspect`, `blacklisted`, `newcomer`, `repeated`,
   * `budget`.
   */
  report({ by, of, nowMs }: Said): Standing {
    const what = `report agent "${of}"`;
    this.speaker(by, { nowMs, what });
    if (by === of) throw new HerdRefusal("self", what);
    const agent = this.#known(of, what);
    if (agent.blacklistedMs !== null || agent.revoked) throw new HerdRefusal("blacklisted", what);
    const isFresh = ({ atMs }: { readonly atMs: number }): boolean =>
      nowMs - atMs < this.limits.reportLifetimeMs;
    const reports = this.#ledger.reportsOn(of).filter(isFresh);
    if (reports.some((word) => word.by === by)) throw new HerdRefusal("repeated", what);
    const own = this.#ledger.reportsBy(by).filter(isFresh);
    if (own.length >= this.limits.reportsPerReporter) throw new HerdRefusal("budget", what);
    this.#ledger.putReport({ by, of, atMs: nowMs });
    // Only words of agents that count still: who lost trust since takes its report along.
    const counting = [...reports.map((word) => word.by), by]
      .filter((id) => this.standing(id, nowMs).counts);
    if (new Set(counting).size >= this.limits.reportsToSuspect) this.suspect(of, nowMs);
    return this.standing(of, nowMs);
  }

  /**
   * Makes an agent suspect.
   *
   * @param agentId Its id.
   * @param nowMs Unix time in milliseconds.
   */
  suspect(agentId: string, nowMs: number): void {
    const agent = this.#known(agentId, `suspect agent "${agentId}"`);
    if (agent.suspectMs !== null) return;
    this.#ledger.putMember({ ...agent, suspectMs: nowMs });
  }

  /**
   * An operator clears a suspect: its trust is that of one that joins, its reports are gone.
   *
   * @param agentId Its id.
   * @param nowMs Unix time in milliseconds.
   * @throws {HerdRefusal} `unknown`, `state` when it is not suspect.
   */
  clear(agentId: string, nowMs: number): Standing {
    const what = `clear agent "${agentId}"`;
    const agent = this.#known(agentId, what);
    if (agent.suspectMs === null || agent.blacklistedMs !== null) {
      throw new HerdRefusal("state", what);
    }
    this.#ledger.dropReportsOn(agentId);
    const trust = Math.max(this.limits.trustAtJoining, this.#trust(agent, nowMs));
    const trustAtMs = Math.max(agent.trustAtMs, nowMs);
    this.#ledger.putMember({ ...agent, trust, trustAtMs, suspectMs: null });
    return this.standing(agentId, nowMs);
  }

  /**
   * An operator blacklists an agent for good. What it vouched for is taken back, and who vouched
   * for it loses trust.
   *
   * @param agentId Its id.
   * @param nowMs Unix time in milliseconds.
   * @throws {HerdRefusal} `unknown`, `blacklisted` when it is already.
   */
  blacklist(agentId: string, nowMs: number): Standing {
    const what = `blacklist agent "${agentId}"`;
    const agent = this.#known(agentId, what);
    if (agent.blacklistedMs !== null) throw new HerdRefusal("blacklisted", what);
    const isLive = ({ atMs }: { readonly atMs: number }): boolean =>
      nowMs - atMs < this.limits.vouchLifetimeMs;
    const vouched = this.#ledger.vouchesBy(agentId).filter(isLive);
    const vouchers = this.#ledger.vouchesFor(agentId).filter(isLive);
    this.#ledger.putMember({ ...agent, blacklistedMs: nowMs });
    this.#ledger.dropVouchesBy(agentId);
    for (const { of } of vouched) this.#moveOf(of, { gain: -this.limits.vouchGain, nowMs });
    for (const { by } of vouchers) this.#moveOf(by, { gain: -this.limits.stakeLoss, nowMs });
    return this.standing(agentId, nowMs);
  }

  /**
   * Gives the agents of a genesis set their trust. Who is no longer in the set keeps its trust and
   * needs vouchers like any other.
   *
   * @param agentIds The whole set.
   * @param nowMs Unix time in milliseconds.
   * @throws {HerdRefusal} `unknown`, `suspect` or `blacklisted` for an agent that cannot be in it;
   * nothing is changed then.
   */
  setGenesis(agentIds: readonly string[], nowMs: number): void {
    const set = new Set(agentIds);
    for (const id of set) {
      const what = `put agent "${id}" into the genesis set`;
      this.#checkHeard(this.#known(id, what), what);
    }
    for (const member of this.#ledger.members()) {
      const genesis = set.has(member.agentId);
      if (!genesis && !member.genesis) continue;
      const trust = genesis ? this.limits.trustOfGenesis : this.#trust(member, nowMs);
      const trustAtMs = Math.max(member.trustAtMs, nowMs);
      this.#ledger.putMember({ ...member, genesis, trust, trustAtMs });
    }
  }

  /**
   * An analyst says what an alert was. An alert is judged once.
   *
   * @param alertId The alert.
   * @param verdict `isTrue`: whether it was a detection; `nowMs`: Unix time in milliseconds.
   * @throws {HerdRefusal} `unknown`, `repeated`.
   */
  judge(
    alertId: string,
    { isTrue, nowMs }: { readonly isTrue: boolean; readonly nowMs: number },
  ): void {
    const what = `judge alert "${alertId}"`;
    const evidence = this.#ledger.evidence(alertId);
    if (evidence === undefined) throw new HerdRefusal("unknown", what);
    const member = this.#known(evidence.agentId, what);
    if (this.#ledger.verdict(alertId) !== undefined) throw new HerdRefusal("repeated", what);
    const { agentId } = member;
    const today = this.#ledger.verdictsOf(agentId, nowMs - DAY_MS).filter((one) => one.isTrue);
    this.#ledger.putVerdict({ alertId, agentId, isTrue, atMs: nowMs });
    const { detectionGain, detectionsPerDay, refutedLoss } = this.limits;
    if (!isTrue) this.#move(member, { gain: -refutedLoss, nowMs });
    else if (today.length < detectionsPerDay) this.#move(member, { gain: detectionGain, nowMs });
  }

  /**
   * Takes trust from an agent.
   *
   * @param agentId Its id; one that is not there is passed over.
   * @param loss How much, and when.
   */
  punish(
    agentId: string,
    { loss, nowMs }: { readonly loss: number; readonly nowMs: number },
  ): void {
    this.#moveOf(agentId, { gain: -loss, nowMs });
  }

  /**
   * An agent that wants to be heard.
   *
   * @param agentId Its id.
   * @param to What it wants to do, and when.
   * @returns The agent, which counts.
   * @throws {HerdRefusal} `unknown`, `suspect`, `blacklisted`, `newcomer`.
   */
  speaker(
    agentId: string,
    { nowMs, what }: { readonly nowMs: number; readonly what: string },
  ): Member {
    const member = this.#known(agentId, what);
    this.#checkHeard(member, what);
    if (!this.#standing(member, nowMs).counts) throw new HerdRefusal("newcomer", what);
    return member;
  }

  /**
   * How many agents a quorum needs now: a share of all members, also of those whose trust ran low,
   * so that a herd that nobody looks after does not become easier to win.
   *
   * @param nowMs Unix time in milliseconds.
   */
  quorum(nowMs: number): number {
    const members = this.standings(nowMs).filter(({ state }) => state === "member").length;
    return Math.max(this.limits.quorumMin, Math.ceil(members * this.limits.quorumShare));
  }

  #trust(member: Member, nowMs: number): number {
    return trustNow(member, { nowMs, limits: this.limits });
  }

  #moveOf(agentId: string, by: { readonly gain: number; readonly nowMs: number }): void {
    const member = this.#ledger.member(agentId);
    if (member !== undefined) this.#move(member, by);
  }

  #move(member: Member, by: { readonly gain: number; readonly nowMs: number }): void {
    const next = moved(member, { ...by, limits: this.limits });
    const isLow = next.trust < this.limits.suspectTrust && next.suspectMs === null;
    this.#ledger.putMember(isLow ? { ...next, suspectMs: by.nowMs } : next);
  }

  #standing(member: Member, nowMs: number): Standing {
    return standingOf({
      member,
      vouches: this.#ledger.vouchesFor(member.agentId),
      holds: (id) => {
        const voucher = this.#ledger.member(id);
        return voucher !== undefined && isHeard(voucher);
      },
      nowMs,
      limits: this.limits,
    });
  }

  #known(agentId: string, what: string): Member {
    const member = this.#ledger.member(agentId);
    if (member === undefined) throw new HerdRefusal("unknown", what);
    return member;
  }

  #checkHeard({ suspectMs, blacklistedMs, revoked }: Member, what: string): void {
    const isOut = blacklistedMs !== null || revoked;
    const reason: HerdReason | undefined = isOut
      ? "blacklisted"
      : suspectMs !== null
      ? "suspect"
      : undefined;
    if (reason !== undefined) throw new HerdRefusal(reason, what);
  }
}
