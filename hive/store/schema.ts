import type { DatabaseSync } from "node:sqlite";
import { ImmuneError } from "../../common/config/errors.ts";
import { integer } from "./rows.ts";
import { transaction } from "./transaction.ts";

/** Marks a database as a hive's store ("IMST"); SQLite keeps it in the file's header. */
export const APPLICATION_ID = 0x494D_5354;

/**
 * Statements that lead from each version of the schema to the next; `user_version` counts those
 * that were run. A step that was released never changes: new ones are appended.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE tokens (
    secret_hash TEXT PRIMARY KEY,
    expires_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE agents (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    host_id TEXT NOT NULL,
    host_name TEXT NOT NULL,
    enrolled_ms INTEGER NOT NULL,
    last_seen_ms INTEGER,
    revoked INTEGER NOT NULL DEFAULT 0,
    stored INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE certificates (
    fingerprint TEXT PRIMARY KEY,
    agent INTEGER NOT NULL REFERENCES agents (number),
    revoked INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX certificates_agent ON certificates (agent);

  CREATE TABLE journals (
    number INTEGER PRIMARY KEY,
    agent INTEGER NOT NULL REFERENCES agents (number),
    journal_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    UNIQUE (agent, journal_id)
  ) STRICT;

  CREATE TABLE blocks (
    id INTEGER PRIMARY KEY,
    agent INTEGER NOT NULL REFERENCES agents (number),
    journal INTEGER NOT NULL REFERENCES journals (number),
    first_position INTEGER NOT NULL,
    from_position INTEGER NOT NULL,
    last_position INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    kernel_kinds INTEGER NOT NULL,
    user_kinds INTEGER NOT NULL,
    host_id TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    length INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX blocks_agent ON blocks (agent);

  CREATE TABLE block_bytes (
    block INTEGER PRIMARY KEY REFERENCES blocks (id),
    codec INTEGER NOT NULL,
    bytes BLOB NOT NULL
  ) STRICT;

  CREATE TABLE alerts (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    block INTEGER NOT NULL REFERENCES blocks (id),
    time_ms INTEGER NOT NULL,
    severity TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    rule_title TEXT NOT NULL,
    host_id TEXT NOT NULL,
    pid INTEGER,
    entity_id TEXT,
    document TEXT NOT NULL
  ) STRICT;
  CREATE INDEX alerts_time ON alerts (time_ms, number);
  CREATE INDEX alerts_severity ON alerts (severity, time_ms, number);
  CREATE INDEX alerts_host ON alerts (host_id, time_ms, number);

  CREATE TABLE alert_days (
    day INTEGER NOT NULL,
    severity TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (day, severity)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE losses (
    agent INTEGER NOT NULL REFERENCES agents (number),
    cause INTEGER NOT NULL,
    certain INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (agent, cause, certain)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE minutes (
    minute_ms INTEGER PRIMARY KEY,
    records INTEGER NOT NULL
  ) STRICT;
  `,
  `
  ALTER TABLE agents ADD COLUMN events INTEGER NOT NULL DEFAULT 0;
  UPDATE agents SET events = stored;
  ALTER TABLE agents ADD COLUMN rules INTEGER;
  ALTER TABLE agents ADD COLUMN rule_set TEXT;
  ALTER TABLE minutes RENAME COLUMN records TO events;

  CREATE TABLE scan_totals (
    name TEXT PRIMARY KEY,
    amount INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE documents (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    key TEXT,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id),
    UNIQUE (kind, key)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE directive_numbers (
    stream TEXT PRIMARY KEY,
    last INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE directives (
    position INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    issued_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (stream, number)
  ) STRICT;
  CREATE INDEX directives_expiry ON directives (expires_ms);

  CREATE TABLE directive_results (
    stream TEXT NOT NULL,
    number INTEGER NOT NULL,
    agent INTEGER NOT NULL REFERENCES agents (number),
    kind TEXT NOT NULL,
    outcome TEXT NOT NULL,
    cause TEXT,
    found TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    heard_ms INTEGER NOT NULL,
    PRIMARY KEY (stream, number, agent, outcome)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE agent_orders (
    agent INTEGER PRIMARY KEY REFERENCES agents (number),
    stopped INTEGER NOT NULL,
    canary TEXT NOT NULL,
    refused TEXT NOT NULL,
    heard_ms INTEGER NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE herd_members (
    agent INTEGER PRIMARY KEY REFERENCES agents (number),
    trust REAL NOT NULL,
    trust_at_ms INTEGER NOT NULL,
    genesis INTEGER NOT NULL,
    suspect_ms INTEGER,
    blacklisted_ms INTEGER
  ) STRICT;

  CREATE TABLE herd_words (
    kind INTEGER NOT NULL,
    said_by INTEGER NOT NULL REFERENCES agents (number),
    said_of INTEGER NOT NULL REFERENCES agents (number),
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (kind, said_by, said_of)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX herd_words_of ON herd_words (kind, said_of);

  CREATE TABLE herd_verdicts (
    alert TEXT PRIMARY KEY,
    agent INTEGER NOT NULL REFERENCES agents (number),
    is_true INTEGER NOT NULL,
    at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX herd_verdicts_agent ON herd_verdicts (agent, at_ms);

  CREATE TABLE herd_antibodies (
    id TEXT PRIMARY KEY,
    made_ms INTEGER NOT NULL,
    proposed_by TEXT,
    document TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE herd_votes (
    antibody TEXT NOT NULL,
    agent INTEGER NOT NULL REFERENCES agents (number),
    is_for INTEGER NOT NULL,
    alert TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (antibody, agent, is_for)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE herd_facts (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX alerts_herd ON alerts (rule_id, host_id, time_ms)
    WHERE rule_id >= 'herd-' AND rule_id < 'herd.';
  `,
  `
  ALTER TABLE tokens ADD COLUMN uses INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE tokens ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE tokens ADD COLUMN host_id TEXT;
  ALTER TABLE tokens ADD COLUMN host_name TEXT;
  ALTER TABLE tokens ADD COLUMN approval INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE agents ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE certificates ADD COLUMN until_ms INTEGER;
  ALTER TABLE certificates ADD COLUMN used INTEGER NOT NULL DEFAULT 1;
  `,
  // Alerts that the hive raised itself are of no block. A number is never given twice.
  `
  CREATE TABLE alerts_2 (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    block INTEGER REFERENCES blocks (id),
    time_ms INTEGER NOT NULL,
    severity TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    rule_title TEXT NOT NULL,
    host_id TEXT NOT NULL,
    pid INTEGER,
    entity_id TEXT,
    document TEXT NOT NULL
  ) STRICT;
  INSERT INTO alerts_2 SELECT number, id, block, time_ms, severity, rule_id, rule_title, host_id,
    pid, entity_id, document FROM alerts;
  DROP TABLE alerts;
  ALTER TABLE alerts_2 RENAME TO alerts;
  CREATE INDEX alerts_time ON alerts (time_ms, number);
  CREATE INDEX alerts_severity ON alerts (severity, time_ms, number);
  CREATE INDEX alerts_host ON alerts (host_id, time_ms, number);
  CREATE INDEX alerts_herd ON alerts (rule_id, host_id, time_ms)
    WHERE rule_id >= 'herd-' AND rule_id < 'herd.';

  CREATE TABLE detection (
    number INTEGER PRIMARY KEY CHECK (number = 1),
    position INTEGER NOT NULL,
    state BLOB NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE tallies (
    agent INTEGER NOT NULL REFERENCES agents (number),
    kind INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    submitted INTEGER NOT NULL,
    filtered INTEGER NOT NULL,
    folded INTEGER NOT NULL,
    ring_full INTEGER NOT NULL,
    oversized INTEGER NOT NULL,
    unreadable INTEGER NOT NULL,
    PRIMARY KEY (agent, kind)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE missed_runs (
    agent INTEGER NOT NULL REFERENCES agents (number),
    program TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (agent, program)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE tiers (
    agent INTEGER NOT NULL REFERENCES agents (number),
    tier TEXT NOT NULL,
    in_force INTEGER NOT NULL,
    judged INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    monitored INTEGER NOT NULL,
    capped INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    PRIMARY KEY (agent, tier)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE place_tallies (
    agent INTEGER NOT NULL REFERENCES agents (number),
    kind INTEGER NOT NULL,
    source INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    submitted INTEGER NOT NULL,
    filtered INTEGER NOT NULL,
    folded INTEGER NOT NULL,
    ring_full INTEGER NOT NULL,
    oversized INTEGER NOT NULL,
    unreadable INTEGER NOT NULL,
    PRIMARY KEY (agent, kind, source)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE detached_programs (
    agent INTEGER NOT NULL REFERENCES agents (number),
    program TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (agent, program)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** Tables that are small and that everything hangs on: they are checked at every opening. */
const CHECKED_TABLES = [
  "tokens",
  "agents",
  "certificates",
  "journals",
  "losses",
  "documents",
  "directive_numbers",
  "herd_members",
  "herd_words",
  "herd_antibodies",
  "herd_votes",
];

/**
 * Looks whether a database is a hive's store that this version understands, or empty. Changes
 * nothing.
 *
 * @param database Open.
 * @param path Its path, for the message.
 * @throws {ImmuneError} `STORE_FAILED` when it is another program's or a newer version's.
 */
export function checkOrigin(database: DatabaseSync, path: string): void {
  const version = pragma(database, "user_version");
  const application = pragma(database, "application_id");
  const schema = database.prepare("SELECT count(*) AS tables FROM sqlite_schema").get();
  const empty = application === 0 && version === 0 && integer(schema, "tables") === 0;
  if (application !== APPLICATION_ID && !empty) {
    const why = "it is the database of another program; name another file";
    throw new ImmuneError("STORE_FAILED", `Cannot open store "${path}": ${why}`);
  }
  if (version > MIGRATIONS.length) {
    const why = `its schema has version ${version}, this program knows ${MIGRATIONS.length}`;
    throw new ImmuneError("STORE_FAILED", `Cannot open store "${path}": ${why}; use a newer one`);
  }
}

/**
 * Brings a database to the schema of this version, and checks the tables that all hangs on.
 *
 * @param database Open, not in a transaction, of a known origin.
 * @param path Its path, for the message.
 * @throws {ImmuneError} `STORE_FAILED` when a table is damaged.
 */
export function migrate(database: DatabaseSync, path: string): void {
  const version = pragma(database, "user_version");
  MIGRATIONS.slice(version).forEach((step, i) => {
    transaction(database, () => {
      database.exec(step);
      database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
      database.exec(`PRAGMA user_version = ${version + i + 1}`);
    });
  });
  for (const table of CHECKED_TABLES) {
    const damage = damageOf(database, table);
    if (damage === undefined) continue;
    const why = `table "${table}" is damaged (${damage}); move the file away or put a backup there`;
    throw new ImmuneError("STORE_FAILED", `Cannot open store "${path}": ${why}`);
  }
}

function damageOf(database: DatabaseSync, table: string): string | undefined {
  const [answer] = Object.values(database.prepare(`PRAGMA quick_check(${table})`).get() ?? {});
  return answer === "ok" ? undefined : String(answer);
}

function pragma(database: DatabaseSync, name: string): number {
  return integer(database.prepare(`PRAGMA ${name}`).get(), name);
}
