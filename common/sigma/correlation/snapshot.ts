import { createHash } from "node:crypto";
import { ImmuneError } from "../../config/errors.ts";
import type { CorrelationRule } from "../correlation_rule.ts";
import type { RuleState } from "./state.ts";

/** Version of the form; another one is not read. */
const MAGIC = "immune correlation state 1\n";
const HASH_BYTES = 32;

/** What came back from saved state. */
export interface RestoredState {
  readonly groups: number;
  /** Groups of correlations that are gone, or ask for something else now. */
  readonly skipped: number;
}

/** [member, time in ms, id, value] */
type SavedHit = readonly [number, number, string, string | number];
interface SavedGroup {
  readonly values: readonly string[];
  /** `null`: never. */
  readonly matchedMs: number | null;
  readonly hits: readonly SavedHit[];
}
interface SavedRule {
  readonly shape: string;
  readonly groups: readonly SavedGroup[];
}

/**
 * Windows as bytes: a line with the version, SHA-256 of the rest, then JSON.
 *
 * @param states All correlations.
 */
export function saveState(states: readonly RuleState[]): Uint8Array<ArrayBuffer> {
  const saved = states.filter(({ size }) => size > 0).map((state): SavedRule => ({
    shape: shapeOf(state.rule),
    groups: [...state.groups()].map(({ values, matchedMs, hits }) => ({
      values,
      matchedMs: Number.isFinite(matchedMs) ? matchedMs : null,
      hits: hits.map(({ member, timeMs, id, value }) => [member, timeMs, id, value]),
    })),
  }));
  const body = new TextEncoder().encode(JSON.stringify(saved));
  const head = new TextEncoder().encode(MAGIC);
  const bytes = new Uint8Array(head.length + HASH_BYTES + body.length);
  bytes.set(head);
  bytes.set(hashOf(body), head.length);
  bytes.set(body, head.length + HASH_BYTES);
  return bytes;
}

/**
 * Puts windows back.
 *
 * @param bytes What {@linkcode saveState} gave.
 * @param states Correlations as they are now, without windows.
 * @throws {ImmuneError} `STATE_UNUSABLE`; nothing is put back then.
 */
export function loadState(
  bytes: Uint8Array<ArrayBuffer>,
  states: readonly RuleState[],
): RestoredState {
  const saved = parsed(bytes);
  const byShape = new Map(states.map((state) => [shapeOf(state.rule), state]));
  const restored = { groups: 0, skipped: 0 };
  for (const { shape, groups } of saved) {
    const state = byShape.get(shape);
    if (state === undefined) restored.skipped += groups.length;
    else {
      for (const group of groups) putBack(state, group);
      restored.groups += groups.length;
    }
  }
  return restored;
}

function putBack(state: RuleState, { values, matchedMs, hits }: SavedGroup): void {
  state.touch(values, (window) => {
    for (const [member, timeMs, id, value] of hits) window.add({ member, timeMs, id, value });
    window.matchedMs = matchedMs ?? -Infinity;
  });
}

/** What makes windows those of this correlation; its condition may change without harm. */
function shapeOf({ id, type, members, groupBy, timespanMs, valueNames }: CorrelationRule): string {
  const fields = members.map(({ reference, groupFields, valueFields }) => ({
    reference,
    groupFields,
    valueFields,
  }));
  return JSON.stringify([id, type, fields, groupBy, timespanMs, valueNames]);
}

function parsed(bytes: Uint8Array<ArrayBuffer>): readonly SavedRule[] {
  const head = new TextEncoder().encode(MAGIC);
  if (!isSame(bytes.subarray(0, head.length), head)) throw unusable("it is of another version");
  const body = bytes.subarray(head.length + HASH_BYTES);
  if (!isSame(bytes.subarray(head.length, head.length + HASH_BYTES), hashOf(body))) {
    throw unusable("it is torn");
  }
  // What the hash holds for is what was written here.
  return JSON.parse(new TextDecoder().decode(body));
}

function hashOf(body: Uint8Array<ArrayBuffer>): Uint8Array {
  return createHash("sha256").update(body).digest();
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function unusable(why: string): ImmuneError {
  const message = `Cannot use correlation state: ${why}; windows start empty`;
  return new ImmuneError("STATE_UNUSABLE", message);
}
