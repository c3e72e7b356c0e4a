import type { AntibodyRow, Evidence, HerdLedger, Member, Verdict, Vote, Word } from "./ledger.ts";
import { HERD_LIMITS } from "./limits.ts";

/** The herd's state in memory: for simulations, and as the model that the store is held against. */
export class MemoryLedger implements HerdLedger {
  readonly #members = new Map<string, Member>();
  readonly #vouchesFor = new Map<string, Map<string, Word>>();
  readonly #vouchesBy = new Map<string, Map<string, Word>>();
  readonly #reportsOn = new Map<string, Map<string, Word>>();
  readonly #reportsBy = new Map<string, Map<string, Word>>();
  readonly #verdicts = new Map<string, Verdict>();
  readonly #evidence = new Map<string, Evidence>();
  readonly #antibodies = new Map<string, AntibodyRow>();
  readonly #votes = new Map<string, Vote[]>();
  readonly #matches = new Map<string, Map<string, number>>();
  #genesis: { readonly number: number; readonly publicKey: string } | undefined;
  #revision = 0;

  /** Adds an agent that joins now, on a host of its own unless told otherwise. */
  join(agentId: string, { nowMs, hostId = `host ${agentId}` }: {
    readonly nowMs: number;
    readonly hostId?: string;
  }): void {
    this.#members.set(agentId, {
      agentId,
      hostId,
      joinedMs: nowMs,
      revoked: false,
      trust: HERD_LIMITS.trustAtJoining,
      trustAtMs: nowMs,
      genesis: false,
      suspectMs: null,
      blacklistedMs: null,
    });
  }

  /** Adds an alert. */
  addEvidence(evidence: Evidence): void {
    this.#evidence.set(evidence.alertId, evidence);
  }

  /** Adds an alert of a rule on a host. */
  addMatch(ruleId: string, { hostId, timeMs }: {
    readonly hostId: string;
    readonly timeMs: number;
  }): void {
    const hosts = this.#matches.get(ruleId) ?? new Map<string, number>();
    hosts.set(hostId, Math.max(timeMs, hosts.get(hostId) ?? 0));
    this.#matches.set(ruleId, hosts);
  }

  member(agentId: string): Member | undefined {
    return this.#members.get(agentId);
  }

  members(): readonly Member[] {
    return [...this.#members.values()];
  }

  putMember(member: Member): void {
    this.#members.set(member.agentId, member);
  }

  vouches(): readonly Word[] {
    return [...this.#vouchesFor.values()].flatMap((words) => [...words.values()]);
  }

  vouchesFor(agentId: string): readonly Word[] {
    return [...this.#vouchesFor.get(agentId)?.values() ?? []];
  }

  vouchesBy(agentId: string): readonly Word[] {
    return [...this.#vouchesBy.get(agentId)?.values() ?? []];
  }

  putVouch(word: Word): void {
    into(this.#vouchesFor, word.of).set(word.by, word);
    into(this.#vouchesBy, word.by).set(word.of, word);
  }

  dropVouchesBy(agentId: string): void {
    for (const { of } of this.vouchesBy(agentId)) this.#vouchesFor.get(of)?.delete(agentId);
    this.#vouchesBy.delete(agentId);
  }

  reportsOn(agentId: string): readonly Word[] {
    return [...this.#reportsOn.get(agentId)?.values() ?? []];
  }

  reportsBy(agentId: string): readonly Word[] {
    return [...this.#reportsBy.get(agentId)?.values() ?? []];
  }

  putReport(word: Word): void {
    into(this.#reportsOn, word.of).set(word.by, word);
    into(this.#reportsBy, word.by).set(word.of, word);
  }

  dropReportsOn(agentId: string): void {
    for (const { by } of this.reportsOn(agentId)) this.#reportsBy.get(by)?.delete(agentId);
    this.#reportsOn.delete(agentId);
  }

  verdict(alertId: string): Verdict | undefined {
    return this.#verdicts.get(alertId);
  }

  verdictsOf(agentId: string, sinceMs: number): readonly Verdict[] {
    return [...this.#verdicts.values()].filter((verdict) =>
      verdict.agentId === agentId && verdict.atMs >= sinceMs
    );
  }

  putVerdict(verdict: Verdict): void {
    this.#verdicts.set(verdict.alertId, verdict);
  }

  evidence(alertId: string): Evidence | undefined {
    return this.#evidence.get(alertId);
  }

  antibody(id: string): AntibodyRow | undefined {
    return this.#antibodies.get(id);
  }

  antibodies(): readonly AntibodyRow[] {
    return [...this.#antibodies.values()];
  }

  putAntibody(row: AntibodyRow): void {
    this.#antibodies.set(row.antibody.id, row);
  }

  dropAntibody(id: string): void {
    this.#antibodies.delete(id);
    this.#votes.delete(id);
  }

  votes(antibodyId: string): readonly Vote[] {
    return this.#votes.get(antibodyId) ?? [];
  }

  putVote(vote: Vote): void {
    this.#votes.set(vote.antibodyId, [...this.votes(vote.antibodyId), vote]);
  }

  proposalsBy(agentId: string, sinceMs: number): number {
    return this.antibodies().filter(({ proposedBy, antibody }) =>
      proposedBy === agentId && antibody.madeMs >= sinceMs
    ).length;
  }

  hostsMatched(ruleId: string, sinceMs: number): readonly string[] {
    return [...this.#matches.get(ruleId) ?? []]
      .filter(([, timeMs]) => timeMs >= sinceMs).map(([hostId]) => hostId);
  }

  revision(): number {
    return this.#revision;
  }

  nextRevision(): void {
    this.#revision++;
  }

  genesis(): { readonly number: number; readonly publicKey: string } | undefined {
    return this.#genesis;
  }

  putGenesis(genesis: { readonly number: number; readonly publicKey: string }): void {
    this.#genesis = genesis;
  }
}

function into(words: Map<string, Map<string, Word>>, id: string): Map<string, Word> {
  const found = words.get(id) ?? new Map<string, Word>();
  words.set(id, found);
  return found;
}
