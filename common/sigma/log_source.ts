import { AUDIT_SERVICE, auditClassesOf } from "./audit.ts";
import { type Expression, testsOf } from "./expression.ts";
import { CLASSES } from "./image_layout.ts";
import type { RuleLogic } from "./rule.ts";

/** What kind of log a rule or an event belongs to. Names are lower-case. */
export interface LogSource {
  readonly category?: string;
  readonly product?: string;
  readonly service?: string;
}

const CLASS_BY_CATEGORY: ReadonlyMap<string, number> = new Map([
  ["process_creation", CLASSES.process_creation],
  ["process_termination", CLASSES.process_termination],
  ["process_fork", CLASSES.process_fork],
  ["identity", CLASSES.identity],
  ["network_connection", CLASSES.network_connection],
  ["network_bind", CLASSES.network_bind],
  ["file_access", CLASSES.file_access],
  ["file_event", CLASSES.file_event],
  ["process_snapshot", CLASSES.process_snapshot],
  ["network_listen", CLASSES.network_listen],
  ["network_accept", CLASSES.network_accept],
  ["network_flow", CLASSES.network_flow],
  ["dns_query", CLASSES.dns_query],
  ["dns_answer", CLASSES.dns_answer],
  ["process_access", CLASSES.process_access],
  ["process_signal", CLASSES.process_signal],
  ["file_delete", CLASSES.file_delete],
  ["file_rename", CLASSES.file_rename],
  ["file_change", CLASSES.file_change],
  ["privileged_act", CLASSES.privileged_act],
]);

const FILE_CLASSES = CLASSES.file_access | CLASSES.file_event | CLASSES.file_rename;
/** Fields with the hash of a file: it comes later, in a record of its own. */
const HASH_FIELDS: ReadonlySet<string> = new Set(["Hashes", "sha256"]);

function asksForHash(expression: Expression | undefined): boolean {
  return expression !== undefined &&
    [...testsOf(expression)].some(({ field }) => HASH_FIELDS.has(field));
}

/**
 * The event classes that a rule is for.
 *
 * @param rule Its log source, and for auditd's what it asks for.
 * @returns Bits of `CLASSES`; only `flat` when no record of a Linux kernel belongs to it.
 */
export function classMaskOf(rule: Pick<RuleLogic, "logSource" | "expression">): number {
  const { category, product, service } = rule.logSource;
  let bits = 0;
  if (product === undefined || product === "linux") {
    if (service === undefined) bits = CLASS_BY_CATEGORY.get(category ?? "") ?? 0;
    else if (service === AUDIT_SERVICE && category === undefined) bits = auditClassesOf(rule);
  }
  if (bits !== 0 && asksForHash(rule.expression)) {
    if ((bits & CLASSES.process_creation) !== 0) bits |= CLASSES.program_hash;
    if ((bits & FILE_CLASSES) !== 0) bits |= CLASSES.file_hash;
  }
  return (bits | CLASSES.flat) >>> 0;
}

/**
 * Tells whether a rule's log source applies to an event's. What the event does not say is not
 * tested: its product by itself, its category and service together, as both name the log.
 *
 * @param rule Log source of a rule.
 * @param event Log source that an event claims.
 * @returns True when the rule is to be tried.
 */
export function applies(rule: LogSource, event: LogSource): boolean {
  const differs = (a: string | undefined, b: string | undefined) => a !== undefined && a !== b;
  if (event.product !== undefined && differs(rule.product, event.product)) return false;
  if (event.category === undefined && event.service === undefined) return true;
  return !differs(rule.category, event.category) && !differs(rule.service, event.service);
}

/**
 * Names of a log source in lower case.
 *
 * @param claimed As an event has them.
 * @returns As rules have them.
 */
export function lowered(claimed: LogSource): LogSource {
  return Object.fromEntries(
    Object.entries(claimed).map(([key, name]) => [key, name.toLowerCase()]),
  );
}

/**
 * The log sources of rules that apply to an event's, as a flat event has them.
 *
 * @param logSources Those of a rule set, in its order.
 * @param claimed The event's, in any case.
 */
export function logSourceBits(logSources: readonly LogSource[], claimed: LogSource): Uint8Array {
  const event = lowered(claimed);
  const bits = new Uint8Array(Math.ceil(logSources.length / 8));
  logSources.forEach((logSource, n) => {
    if (applies(logSource, event)) bits[n >> 3] = (bits[n >> 3] ?? 0) | 1 << (n & 7);
  });
  return bits;
}

/**
 * One text for one log source.
 *
 * @param logSource Any log source.
 * @returns A key that differs where the log source differs.
 */
export function logSourceKey({ category, product, service }: LogSource): string {
  return JSON.stringify([category ?? null, product ?? null, service ?? null]);
}
