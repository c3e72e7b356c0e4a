import type { DatabaseSync } from "node:sqlite";
import { ImmuneError } from "../../common/config/errors.ts";
import { type Alert, alertSchema } from "../../common/wire/alert.ts";
import { AlertRows } from "./alerts.ts";
import type { ExtractedAlert } from "./extract.ts";
import { blob, integer } from "./rows.ts";
import type { Detected, DetectionState } from "./store.ts";

/** What the hive's own detection keeps: its alerts, beside those of agents, and one row of state. */
export class DetectionRows {
  readonly #alerts: AlertRows;
  readonly #sql: ReturnType<typeof statements>;

  /** @param database Open, of this version's schema. */
  constructor(database: DatabaseSync) {
    this.#alerts = new AlertRows(database);
    this.#sql = statements(database);
  }

  /** How far it came. */
  state(): DetectionState | undefined {
    const row = this.#sql.state.get();
    if (row === undefined) return undefined;
    return { position: integer(row, "position"), state: blob(row, "state") };
  }

  /**
   * Adds what it came to. The caller holds the transaction.
   *
   * @param found Alerts and state.
   * @returns Alerts that are new.
   * @throws {ImmuneError} `INPUT_MALFORMED` for what is no alert; nothing is written then.
   */
  add({ alerts, state }: Detected): number {
    const rows = alerts.map(rowOf);
    if (state !== undefined) this.#sql.keep.run(state.position, state.state);
    return rows.filter((row) => this.#alerts.raise(row)).length;
  }
}

function rowOf(alert: Alert): ExtractedAlert {
  const checked = alertSchema.safeParse(alert);
  if (!checked.success) {
    const why = checked.error.issues[0]?.path.join(".") ?? "";
    throw new ImmuneError("INPUT_MALFORMED", `Cannot store alert: "${why}" is none`);
  }
  return { alert, timeMs: Date.parse(alert.time), document: JSON.stringify(alert) };
}

// deno-lint-ignore explicit-function-return-type
function statements(database: DatabaseSync) {
  return {
    state: database.prepare("SELECT position, state FROM detection"),
    keep: database.prepare(
      `INSERT INTO detection (number, position, state) VALUES (1, ?, ?)
      ON CONFLICT DO UPDATE SET position = excluded.position, state = excluded.state`,
    ),
  };
}
