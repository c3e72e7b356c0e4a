import type { Antibody } from "../../common/herd/antibody.ts";

/** An agent, as the herd keeps it. */
export interface Member {
  readonly agentId: string;
  readonly hostId: string;
  /** Unix time in milliseconds of its enrolment. */
  readonly joinedMs: number;
  /** True when its certificate is no longer accepted. */
  readonly revoked: boolean;
  /** Its trust at `trustAtMs`; what it is now follows from the time that went by. */
  readonly trust: number;
  readonly trustAtMs: number;
  /** True when it is of the genesis set. */
  readonly genesis: boolean;
  /** Since when it is suspect; null = it is not. */
  readonly suspectMs: number | null;
  /** Since when an operator has it blacklisted; null = it is not. */
  readonly blacklistedMs: number | null;
}

/** One agent speaks for, or against, another. */
export interface Word {
  readonly by: string;
  readonly of: string;
  readonly atMs: number;
}

/** What an analyst made of an alert. */
export interface Verdict {
  readonly alertId: string;
  readonly agentId: string;
  readonly isTrue: boolean;
  readonly atMs: number;
}

/** Where an antibody is on its way. */
export type Stage = "proposed" | "canary" | "all" | "pulled" | "expired";

/** An antibody on its way. */
export interface AntibodyRow {
  readonly antibody: Antibody;
  readonly stage: Stage;
  /** Since when it is there, Unix time in milliseconds. */
  readonly stageMs: number;
  /** Agent that proposed it; null = an analyst. */
  readonly proposedBy: string | null;
  /** True when an analyst confirmed it: the brake of matches is off then. */
  readonly confirmed: boolean;
  /**
   * True once it was held against what the fleet does all day: no host gets it before. Rows of an
   * earlier version have none.
   */
  readonly checked?: boolean;
  /** Why it was pulled back; empty where it was not. */
  readonly why: string;
}

/** An agent's word on an antibody. */
export interface Vote {
  readonly antibodyId: string;
  readonly agentId: string;
  readonly hostId: string;
  /** The alert that shows it; empty for an objection. */
  readonly alertId: string;
  readonly isFor: boolean;
  readonly atMs: number;
}

/** What the herd needs of an alert. */
export interface Evidence {
  readonly alertId: string;
  /** Agent that delivered it. */
  readonly agentId: string;
  readonly hostId: string;
  readonly ruleId: string;
  /** When its event was, Unix time in milliseconds. */
  readonly timeMs: number;
  /** Texts and numbers of its event: images, hashes, addresses, names, ports. */
  readonly texts: ReadonlySet<string>;
}

/** Where the herd's state is. Calls of one decision are of one transaction. */
export interface HerdLedger {
  member(agentId: string): Member | undefined;
  members(): readonly Member[];
  /** Writes what can change of a member: trust, genesis, suspect, blacklisted. */
  putMember(member: Member): void;
  /** All vouches. */
  vouches(): readonly Word[];
  vouchesFor(agentId: string): readonly Word[];
  vouchesBy(agentId: string): readonly Word[];
  /** Adds a vouch, or replaces an older one of the same two. */
  putVouch(word: Word): void;
  dropVouchesBy(agentId: string): void;
  reportsOn(agentId: string): readonly Word[];
  reportsBy(agentId: string): readonly Word[];
  putReport(word: Word): void;
  dropReportsOn(agentId: string): void;
  verdict(alertId: string): Verdict | undefined;
  /** Verdicts of an agent's alerts from a time on. */
  verdictsOf(agentId: string, sinceMs: number): readonly Verdict[];
  putVerdict(verdict: Verdict): void;
  evidence(alertId: string): Evidence | undefined;
  antibody(id: string): AntibodyRow | undefined;
  antibodies(): readonly AntibodyRow[];
  putAntibody(row: AntibodyRow): void;
  /** Takes an antibody away with all votes on it. */
  dropAntibody(id: string): void;
  votes(antibodyId: string): readonly Vote[];
  putVote(vote: Vote): void;
  /** Antibodies that an agent proposed from a time on. */
  proposalsBy(agentId: string, sinceMs: number): number;
  /** Ids of the hosts with an alert of a rule whose event was at or after a time. */
  hostsMatched(ruleId: string, sinceMs: number): readonly string[];
  /** Counts up with every change of what agents are to have. */
  revision(): number;
  nextRevision(): void;
  /** The document that names the genesis set, as it was signed; `undefined` before the first. */
  genesis(): { readonly number: number; readonly publicKey: string } | undefined;
  putGenesis(genesis: { readonly number: number; readonly publicKey: string }): void;
}
