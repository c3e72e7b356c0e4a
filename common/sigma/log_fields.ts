// The field names that records of logs, and of what was done to the agent, have beside those of
// other records. Rules on them are judged as flat events are (specs/log_inlet.md).

import { AUDIT_SERVICE } from "./audit.ts";
import { KEYWORDS_FIELD } from "./criterion.ts";
import type { LogSource } from "./log_source.ts";

/** Category of logins, failed ones, and acts as another user. */
export const AUTHENTICATION_CATEGORY = "authentication";
/** Category of what was done to the agent. */
export const TAMPER_CATEGORY = "sensor_tamper";

/** Path in the document of each field that only those records have. */
export const LOG_FIELDS = {
  Action: "event.action",
  Outcome: "event.outcome",
  TargetUser: "user.effective.name",
  AuthService: "authentication.service",
  AuthMethod: "authentication.method",
  Terminal: "authentication.terminal",
  Command: "authentication.command",
  LoginSession: "authentication.session",
  SourceHostname: "source.domain",
  LogOrigin: "log.origin",
  LogWriter: "log.writer",
  LogProgram: "log.program",
  LogMessage: "message",
  Tamper: "tamper.what",
  TamperObject: "tamper.object",
  TamperDetail: "tamper.detail",
  TamperRestored: "tamper.restored",
} as const;

/** Parts of sudo's lines, by the names that sudo gives them. */
const SUDO_FIELDS: ReadonlySet<string> = new Set([
  "HOST",
  "TTY",
  "CHROOT",
  "PWD",
  "USER",
  "GROUP",
  "TSID",
  "ENV",
  "COMMAND",
  "user",
  "reason",
]);

/**
 * Looks up a field of records of logs by its name.
 *
 * @param name Name as a rule has it; case counts.
 * @returns Its path, or `undefined` when they have no field of this name.
 */
export function logField(name: string): string | undefined {
  return Object.hasOwn(LOG_FIELDS, name) ? LOG_FIELDS[name as keyof typeof LOG_FIELDS] : undefined;
}

/**
 * Tells whether the logs that an agent reads have a field, for rules of a log source.
 *
 * @param field Name as a rule has it; `KEYWORDS_FIELD`: the line.
 * @param logSource Log source of the rule.
 */
export function isFedByLogs(field: string, { product, category, service }: LogSource): boolean {
  if (product !== undefined && product !== "linux") return false;
  if (category === AUTHENTICATION_CATEGORY || category === TAMPER_CATEGORY) {
    return field === KEYWORDS_FIELD || logField(field) !== undefined;
  }
  if (category !== undefined || service === undefined) return false;
  // auditd's own records have what they have: their names are not ours to list.
  if (service === AUDIT_SERVICE) return true;
  return field === KEYWORDS_FIELD || logField(field) !== undefined ||
    (service === "sudo" && SUDO_FIELDS.has(field));
}
