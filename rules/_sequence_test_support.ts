import type { CorrelationRule, ExampleEvent } from "../common/sigma/mod.ts";

/** What a sequence is judged with. */
export interface SequenceOptions {
  /** Indices of the rules that fire on an event. */
  readonly fires: (event: ExampleEvent) => readonly number[];
}

interface Found {
  readonly member: number;
  readonly group: string;
  readonly value: string | undefined;
}

/**
 * Says whether a correlation fires somewhere in a sequence of events that all lie within its time
 * span: slow, and as close to the words of the language as can be. It knows the types that the packs
 * use.
 *
 * @param rule A correlation over rules.
 * @param events Events in the order of time.
 * @param options How rules judge.
 * @returns True when it fires.
 */
export function firesOn(
  rule: CorrelationRule,
  events: readonly ExampleEvent[],
  options: SequenceOptions,
): boolean {
  const found = events.flatMap((event) => foundIn(rule, event, options));
  const groups = new Set(found.map(({ group }) => group));
  return [...groups].some((group) => holds(rule, found.filter((each) => each.group === group)));
}

function foundIn(
  rule: CorrelationRule,
  event: ExampleEvent,
  { fires }: SequenceOptions,
): readonly Found[] {
  const fired = fires(event);
  return rule.members.flatMap(({ index, groupFields, valueFields }, member): Found[] => {
    const parts = groupFields.map((field) => event[field] ?? undefined);
    // An event without what it would be grouped by belongs to no group.
    if (!fired.includes(index) || parts.includes(undefined)) return [];
    const [valueField = ""] = valueFields;
    return [{ member, group: JSON.stringify(parts), value: event[valueField] ?? undefined }];
  });
}

function holds({ type, members, condition }: CorrelationRule, found: readonly Found[]): boolean {
  if (type === "first_seen") return found.length > 0;
  if (type === "temporal_ordered") return inOrder(members.length, found);
  if (type !== "value_count" || condition.kind !== "bounds") throw new TypeError(`Type ${type}`);
  const count = new Set(found.flatMap(({ value }) => value ?? [])).size;
  return condition.bounds.every(({ op, number }) => {
    if (op !== "gte") throw new TypeError(`Bound ${op}`);
    return count >= number;
  });
}

/** The members were hit one after the other, whatever came between. */
function inOrder(members: number, found: readonly Found[]): boolean {
  let next = 0;
  for (const { member } of found) if (member === next) next++;
  return next === members;
}
