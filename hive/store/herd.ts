import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Alert } from "../../common/wire/mod.ts";
import { evidenceOf } from "../herd/evidence.ts";
import type {
  AntibodyRow,
  Evidence,
  HerdLedger,
  Member,
  Verdict,
  Vote,
  Word,
} from "../herd/ledger.ts";
import { HERD_LIMITS } from "../herd/limits.ts";
import { integer, integerOrNull, real, type Row, text } from "./rows.ts";

/** Kinds of words, as the table has them. */
const WORDS = { vouch: 1, report: 2 } as const;
type WordKind = typeof WORDS[keyof typeof WORDS];

/** The herd's state in the store. Whoever calls holds a transaction around each decision. */
export class HerdRows implements HerdLedger {
  readonly #sql: ReturnType<typeof statements>;

  /** @param database Open, of this version's schema. */
  constructor(database: DatabaseSync) {
    this.#sql = statements(database);
  }

  member(agentId: string): Member | undefined {
    const row = this.#sql.member.get(agentId);
    return row === undefined ? undefined : memberOf(row);
  }

  members(): readonly Member[] {
    return this.#sql.members.all().map(memberOf);
  }

  putMember(member: Member): void {
    const { agentId, trust, trustAtMs, genesis, suspectMs, blacklistedMs } = member;
    this.#sql.putMember.run(trust, trustAtMs, Number(genesis), suspectMs, blacklistedMs, agentId);
    if (blacklistedMs === null) return;
    this.#sql.revokeCertificates.run(agentId);
    this.#sql.revokeAgent.run(agentId);
  }

  vouches(): readonly Word[] {
    return this.#sql.words.all(WORDS.vouch).map(wordOf);
  }

  vouchesFor(agentId: string): readonly Word[] {
    return wordsOf(this.#sql.wordsOf, { kind: WORDS.vouch, agentId });
  }

  vouchesBy(agentId: string): readonly Word[] {
    return wordsOf(this.#sql.wordsBy, { kind: WORDS.vouch, agentId });
  }

  putVouch({ by, of, atMs }: Word): void {
    this.#sql.putWord.run(WORDS.vouch, atMs, by, of);
  }

  dropVouchesBy(agentId: string): void {
    this.#sql.dropWordsBy.run(WORDS.vouch, agentId);
  }

  reportsOn(agentId: string): readonly Word[] {
    return wordsOf(this.#sql.wordsOf, { kind: WORDS.report, agentId });
  }

  reportsBy(agentId: string): readonly Word[] {
    return wordsOf(this.#sql.wordsBy, { kind: WORDS.report, agentId });
  }

  putReport({ by, of, atMs }: Word): void {
    this.#sql.putWord.run(WORDS.report, atMs, by, of);
  }

  dropReportsOn(agentId: string): void {
    this.#sql.dropWordsOf.run(WORDS.report, agentId);
  }

  verdict(alertId: string): Verdict | undefined {
    const row = this.#sql.verdict.get(alertId);
    return row === undefined ? undefined : verdictOf(row);
  }

  verdictsOf(agentId: string, sinceMs: number): readonly Verdict[] {
    return this.#sql.verdictsOf.all(agentId, sinceMs).map(verdictOf);
  }

  putVerdict({ alertId, agentId, isTrue, atMs }: Verdict): void {
    this.#sql.putVerdict.run(alertId, Number(isTrue), atMs, agentId);
  }

  evidence(alertId: string): Evidence | undefined {
    const row = this.#sql.evidence.get(alertId);
    if (row === undefined) return undefined;
    return evidenceOf(JSON.parse(text(row, "document")) as Alert, text(row, "id"));
  }

  antibody(id: string): AntibodyRow | undefined {
    const row = this.#sql.antibody.get(id);
    return row === undefined ? undefined : antibodyOf(row);
  }

  antibodies(): readonly AntibodyRow[] {
    return this.#sql.antibodies.all().map(antibodyOf);
  }

  putAntibody(row: AntibodyRow): void {
    const { antibody: { id, madeMs }, proposedBy } = row;
    this.#sql.putAntibody.run(id, madeMs, proposedBy, JSON.stringify(row));
  }

  dropAntibody(id: string): void {
    this.#sql.dropVotes.run(id);
    this.#sql.dropAntibody.run(id);
  }

  votes(antibodyId: string): readonly Vote[] {
    return this.#sql.votes.all(antibodyId).map((row) => ({
      antibodyId,
      agentId: text(row, "id"),
      hostId: text(row, "host_id"),
      alertId: text(row, "alert"),
      isFor: integer(row, "is_for") !== 0,
      atMs: integer(row, "at_ms"),
    }));
  }

  putVote({ antibodyId, agentId, alertId, isFor, atMs }: Vote): void {
    this.#sql.putVote.run(antibodyId, Number(isFor), alertId, atMs, agentId);
  }

  proposalsBy(agentId: string, sinceMs: number): number {
    return integer(this.#sql.proposalsBy.get(agentId, sinceMs), "proposals");
  }

  hostsMatched(ruleId: string, sinceMs: number): readonly string[] {
    return this.#sql.hostsMatched.all(ruleId, sinceMs).map((row) => text(row, "host_id"));
  }

  revision(): number {
    return Number(this.#fact("revision") ?? 0);
  }

  nextRevision(): void {
    this.#sql.putFact.run("revision", String(this.revision() + 1));
  }

  genesis(): { readonly number: number; readonly publicKey: string } | undefined {
    const fact = this.#fact("genesis");
    return fact === undefined ? undefined : JSON.parse(fact);
  }

  putGenesis({ number, publicKey }: { readonly number: number; readonly publicKey: string }): void {
    this.#sql.putFact.run("genesis", JSON.stringify({ number, publicKey }));
  }

  #fact(name: string): string | undefined {
    const row = this.#sql.fact.get(name);
    return row === undefined ? undefined : text(row, "value");
  }
}

function memberOf(row: Row): Member {
  const joinedMs = integer(row, "enrolled_ms");
  const isKept = row?.["trust"] !== null;
  return {
    agentId: text(row, "id"),
    hostId: text(row, "host_id"),
    joinedMs,
    revoked: integer(row, "revoked") !== 0,
    trust: isKept ? real(row, "trust") : HERD_LIMITS.trustAtJoining,
    trustAtMs: isKept ? integer(row, "trust_at_ms") : joinedMs,
    genesis: isKept && integer(row, "genesis") !== 0,
    suspectMs: integerOrNull(row, "suspect_ms"),
    blacklistedMs: integerOrNull(row, "blacklisted_ms"),
  };
}

function wordsOf(
  statement: StatementSync,
  { kind, agentId }: { readonly kind: WordKind; readonly agentId: string },
): readonly Word[] {
  return statement.all(kind, agentId).map(wordOf);
}

function wordOf(row: Row): Word {
  return { by: text(row, "said_by"), of: text(row, "said_of"), atMs: integer(row, "at_ms") };
}

function verdictOf(row: Row): Verdict {
  return {
    alertId: text(row, "alert"),
    agentId: text(row, "id"),
    isTrue: integer(row, "is_true") !== 0,
    atMs: integer(row, "at_ms"),
  };
}

function antibodyOf(row: Row): AntibodyRow {
  return JSON.parse(text(row, "document")) as AntibodyRow;
}

/** Number of an agent by its id. */
const AGENT = "(SELECT number FROM agents WHERE id = ?)";
const MEMBERS = `SELECT id, host_id, enrolled_ms, revoked, trust, trust_at_ms, genesis, suspect_ms,
    blacklisted_ms FROM agents LEFT JOIN herd_members ON herd_members.agent = agents.number`;
const VERDICTS = `SELECT alert, agents.id AS id, is_true, at_ms FROM herd_verdicts
  JOIN agents ON agents.number = herd_verdicts.agent`;
const WORD_COLUMNS = `SELECT speaker.id AS said_by, spoken.id AS said_of, at_ms FROM herd_words
  JOIN agents AS speaker ON speaker.number = herd_words.said_by
  JOIN agents AS spoken ON spoken.number = herd_words.said_of`;

// deno-lint-ignore explicit-function-return-type
function statements(database: DatabaseSync) {
  return {
    member: database.prepare(`${MEMBERS} WHERE id = ?`),
    members: database.prepare(`${MEMBERS} ORDER BY number`),
    putMember: database.prepare(
      `INSERT INTO herd_members (trust, trust_at_ms, genesis, suspect_ms, blacklisted_ms, agent)
      VALUES (?, ?, ?, ?, ?, ${AGENT}) ON CONFLICT DO UPDATE SET trust = excluded.trust,
        trust_at_ms = excluded.trust_at_ms, genesis = excluded.genesis,
        suspect_ms = excluded.suspect_ms, blacklisted_ms = excluded.blacklisted_ms`,
    ),
    revokeCertificates: database.prepare(
      `UPDATE certificates SET revoked = 1 WHERE agent = ${AGENT}`,
    ),
    revokeAgent: database.prepare("UPDATE agents SET revoked = 1 WHERE id = ?"),
    words: database.prepare(`${WORD_COLUMNS} WHERE kind = ?`),
    wordsOf: database.prepare(`${WORD_COLUMNS} WHERE kind = ? AND herd_words.said_of = ${AGENT}`),
    wordsBy: database.prepare(`${WORD_COLUMNS} WHERE kind = ? AND herd_words.said_by = ${AGENT}`),
    putWord: database.prepare(
      `INSERT INTO herd_words (kind, at_ms, said_by, said_of) VALUES (?, ?, ${AGENT}, ${AGENT})
      ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms`,
    ),
    dropWordsBy: database.prepare(`DELETE FROM herd_words WHERE kind = ? AND said_by = ${AGENT}`),
    dropWordsOf: database.prepare(`DELETE FROM herd_words WHERE kind = ? AND said_of = ${AGENT}`),
    verdict: database.prepare(`${VERDICTS} WHERE alert = ?`),
    verdictsOf: database.prepare(`${VERDICTS} WHERE herd_verdicts.agent = ${AGENT} AND at_ms >= ?`),
    putVerdict: database.prepare(
      `INSERT INTO herd_verdicts (alert, is_true, at_ms, agent) VALUES (?, ?, ?, ${AGENT})`,
    ),
    evidence: database.prepare(
      `SELECT document, agents.id AS id FROM alerts JOIN blocks ON blocks.id = alerts.block
      JOIN agents ON agents.number = blocks.agent WHERE alerts.id = ?`,
    ),
    antibody: database.prepare("SELECT document FROM herd_antibodies WHERE id = ?"),
    antibodies: database.prepare("SELECT document FROM herd_antibodies ORDER BY made_ms, id"),
    putAntibody: database.prepare(
      `INSERT INTO herd_antibodies (id, made_ms, proposed_by, document) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET made_ms = excluded.made_ms, proposed_by = excluded.proposed_by,
        document = excluded.document`,
    ),
    dropAntibody: database.prepare("DELETE FROM herd_antibodies WHERE id = ?"),
    dropVotes: database.prepare("DELETE FROM herd_votes WHERE antibody = ?"),
    votes: database.prepare(
      `SELECT id, host_id, alert, is_for, at_ms FROM herd_votes
      JOIN agents ON agents.number = herd_votes.agent WHERE antibody = ? ORDER BY at_ms, number`,
    ),
    putVote: database.prepare(
      `INSERT INTO herd_votes (antibody, is_for, alert, at_ms, agent)
      VALUES (?, ?, ?, ?, ${AGENT})`,
    ),
    proposalsBy: database.prepare(
      `SELECT count(*) AS proposals FROM herd_antibodies WHERE proposed_by = ? AND made_ms >= ?`,
    ),
    hostsMatched: database.prepare(
      `SELECT DISTINCT host_id FROM alerts
      WHERE rule_id = ? AND rule_id >= 'herd-' AND rule_id < 'herd.' AND time_ms >= ?`,
    ),
    fact: database.prepare("SELECT value FROM herd_facts WHERE name = ?"),
    putFact: database.prepare(
      `INSERT INTO herd_facts (name, value) VALUES (?, ?)
      ON CONFLICT DO UPDATE SET value = excluded.value`,
    ),
  };
}
