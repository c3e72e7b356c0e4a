// Rules over the log of auditd, as far as records carry it: an exec is its EXECVE record, the open of
// a file its PATH record. What else auditd writes has no record.

import type { FieldTest } from "./expression.ts";
import { CLASSES } from "./image_layout.ts";
import { requirementOf } from "./requirement.ts";
import type { Rule } from "./rule.ts";
import { foldCase, formatValue } from "./value.ts";

/** Service of rules over auditd's log. */
export const AUDIT_SERVICE = "auditd";
/** Field with the type of an audit record. */
const TYPE_FIELD = "type";
/** Types that records carry, and their classes. */
const CLASS_OF_TYPE: ReadonlyMap<string, number> = new Map([
  ["execve", CLASSES.process_creation],
  ["path", CLASSES.file_access],
]);

/** Fields of auditd's records that ours carry; other rules have fields of these names too. */
export const AUDIT_FIELDS: ReadonlySet<string> = new Set([
  TYPE_FIELD,
  "name",
  ...Array.from({ length: 10 }, (_, i) => `a${i}`),
]);

/**
 * The classes of records that can fire a rule over auditd's log.
 *
 * @param rule The rule.
 * @returns Bits of `CLASSES`; 0 when it asks for no type of record.
 */
export function auditClassesOf({ expression }: Pick<Rule, "expression">): number {
  const types = requirementOf(expression, ({ field }) => field === TYPE_FIELD ? 1 : Infinity);
  return types?.tests.reduce((mask, test) => mask | (auditClassOf(test) ?? 0), 0) ?? 0;
}

/**
 * The class of records on which a test of the type of an audit record can hold.
 *
 * @param test A test.
 * @returns A bit of `CLASSES`; 0 when no record is of that type; `undefined` for another test.
 */
export function auditClassOf({ field, criterion }: FieldTest): number | undefined {
  if (field !== TYPE_FIELD || criterion.type !== "pattern") return undefined;
  return CLASS_OF_TYPE.get(foldCase(formatValue(criterion.pattern))) ?? 0;
}
