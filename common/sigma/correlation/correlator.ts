import type { CorrelationMember, CorrelationRule } from "../correlation_rule.ts";
import type { CorrelationCounters } from "./counters.ts";
import { Sightings } from "./first_seen.ts";
import type { CorrelationInput, CorrelationMatch, MatchMember } from "./hit.ts";
import {
  GROUPS_PER_RULE_MAX,
  LATENESS_MS,
  MATCH_MEMBERS_MAX,
  MATCHES_PER_HIT_MAX,
  STATE_BYTES_MAX,
} from "./limits.ts";
import { measure, type WindowHit } from "./measure.ts";
import { loadState, type RestoredState, saveState } from "./snapshot.ts";
import { RuleState } from "./state.ts";
import { keptValue, numberOf } from "./value.ts";
import type { GroupWindow } from "./window.ts";

/** How a correlator works. */
export interface CorrelatorOptions {
  /** Runs correlations of this scope alone. Default: all. */
  readonly scope?: CorrelationRule["scope"];
  /** How far a hit may be behind the newest of its group, in ms. Default: `LATENESS_MS`. */
  readonly latenessMs?: number;
  /** Most groups of one correlation. Default: `GROUPS_PER_RULE_MAX`. */
  readonly groups?: number;
  /** Most bytes of all state. Default: `STATE_BYTES_MAX`. */
  readonly bytes?: number;
  /** What `first_seen` remembers. Default: its own, for as long as the correlator lives. */
  readonly sightings?: Sightings;
}

/** What a correlator holds and did. */
export interface CorrelatorStats {
  readonly groups: number;
  /** Reckoned size of all groups, in bytes. */
  readonly bytes: number;
  /** Matches that were let go because one hit led to too many. */
  readonly matchesDropped: number;
  /** Counters by the correlation's id. */
  readonly rules: ReadonlyMap<string, Readonly<CorrelationCounters>>;
}

interface Listener {
  readonly state: RuleState;
  readonly member: number;
  readonly fields: CorrelationMember;
}

/** Finds among hits what correlations ask for. The time of the events drives it, no clock. */
export class Correlator {
  readonly #states: readonly RuleState[];
  readonly #listeners = new Map<string, Listener[]>();
  readonly #options: Required<Omit<CorrelatorOptions, "scope">>;
  #bytes = 0;
  #matchesDropped = 0;

  /**
   * @param rules `RuleSet.correlations`, whole: members refer to it by place.
   * @param options Scope and bounds.
   */
  constructor(rules: readonly CorrelationRule[], options: CorrelatorOptions = {}) {
    const { scope, latenessMs = LATENESS_MS } = options;
    this.#options = {
      latenessMs,
      groups: options.groups ?? GROUPS_PER_RULE_MAX,
      bytes: options.bytes ?? STATE_BYTES_MAX,
      sightings: options.sightings ?? new Sightings(),
    };
    this.#states = rules.flatMap((rule, index) =>
      scope === undefined || rule.scope === scope
        ? [new RuleState(rule, { index, latenessMs })]
        : []
    );
    for (const state of this.#states) {
      state.rule.members.forEach((fields, member) => {
        const key = keyOf(fields);
        const listeners = this.#listeners.get(key) ?? [];
        listeners.push({ state, member, fields });
        this.#listeners.set(key, listeners);
      });
    }
  }

  /** What it holds and did so far. */
  get stats(): CorrelatorStats {
    return {
      groups: this.#states.reduce((groups, { size }) => groups + size, 0),
      bytes: this.#bytes,
      matchesDropped: this.#matchesDropped,
      rules: new Map(this.#states.map(({ rule, counters }) => [rule.id, { ...counters }])),
    };
  }

  /** What `first_seen` remembers. */
  get sightings(): Sightings {
    return this.#options.sightings;
  }

  /**
   * Tells whether a hit is of use.
   *
   * @param hit Rule or correlation that was hit.
   */
  wants(hit: Pick<CorrelationInput, "kind" | "index">): boolean {
    return this.#listeners.has(keyOf(hit));
  }

  /**
   * Takes a hit.
   *
   * @param input The hit.
   * @returns Correlations whose condition it completes, those that they complete behind them.
   */
  take(input: CorrelationInput): readonly CorrelationMatch[] {
    const matches: CorrelationMatch[] = [];
    const waiting: CorrelationInput[] = [input];
    for (let hit = waiting.shift(); hit !== undefined; hit = waiting.shift()) {
      for (const listener of this.#listeners.get(keyOf(hit)) ?? []) {
        const match = this.#hear(listener, hit);
        if (match === undefined) continue;
        if (matches.length >= MATCHES_PER_HIT_MAX) {
          this.#matchesDropped++;
          continue;
        }
        matches.push(match);
        waiting.push(hitOf(match, hit));
      }
    }
    return matches;
  }

  /**
   * Lets go of groups that no hit from now on can complete.
   *
   * @param nowMs Time of the newest events there are, in milliseconds.
   * @returns How many.
   */
  expire(nowMs: number): number {
    const gone = this.#states.reduce((groups, state) => groups + state.expire(nowMs), 0);
    this.#reckon();
    return gone;
  }

  /** All windows as bytes, for {@linkcode restore}. */
  save(): Uint8Array<ArrayBuffer> {
    return saveState(this.#states);
  }

  /**
   * Takes back windows of correlations that are still the same.
   *
   * @param bytes What {@linkcode save} gave, here or before a restart.
   * @returns What came back.
   * @throws {ImmuneError} `STATE_UNUSABLE` when they are torn or of another version; nothing is
   * taken then.
   */
  restore(bytes: Uint8Array<ArrayBuffer>): RestoredState {
    const restored = loadState(bytes, this.#states);
    this.#reckon();
    for (const state of this.#states) this.#bound(state);
    return restored;
  }

  #hear(
    { state, member, fields }: Listener,
    hit: CorrelationInput,
  ): CorrelationMatch | undefined {
    const { rule, counters } = state;
    const group = valuesOf(fields.groupFields, hit);
    if (group === undefined) {
      counters.ungrouped++;
      return undefined;
    }
    const { timeMs, id } = hit;
    if (rule.type === "first_seen") {
      const seen = { timeMs, spanMs: rule.timespanMs };
      if (!this.sightings.see([rule.id, ...group], seen)) return undefined;
      return matchOf(state, { group, hits: [{ timeMs, member, id, value: "" }], id, value: 1 });
    }
    if (hit.isBefore === true) {
      counters.untimed++;
      return undefined;
    }
    const value = lookedAt(rule, fields, hit);
    if (value === undefined) {
      counters.valueless++;
      return undefined;
    }
    const before = state.bytes;
    const match = state.touch(
      group,
      (window) => judged(state, { window, hit: { timeMs, member, id, value } }),
    );
    this.#bytes += state.bytes - before;
    this.#bound(state);
    return match;
  }

  #bound(state: RuleState): void {
    while (state.size > this.#options.groups) {
      this.#evict(state);
      state.counters.evictedGroups++;
    }
    while (this.#bytes > this.#options.bytes) {
      // Whoever floods one correlation pushes out what it made, not the windows of the others.
      const largest = this.#states.reduce((a, b) => b.bytes > a.bytes ? b : a);
      if (largest.size === 0) return;
      this.#evict(largest);
      largest.counters.evictedBytes++;
    }
  }

  #evict(state: RuleState): void {
    this.#bytes -= state.bytes;
    state.evict();
    this.#bytes += state.bytes;
  }

  #reckon(): void {
    this.#bytes = this.#states.reduce((bytes, state) => bytes + state.bytes, 0);
  }
}

function keyOf({ kind, index }: Pick<CorrelationInput, "kind" | "index">): string {
  return `${kind} ${index}`;
}

/** Values of fields as they are kept; `undefined` when one is absent. */
function valuesOf(
  fields: readonly string[],
  { field }: CorrelationInput,
): readonly string[] | undefined {
  const values: string[] = [];
  for (const name of fields) {
    const value = field(name);
    if (value === undefined) return undefined;
    values.push(keptValue(value));
  }
  return values;
}

/** What the type looks at: nothing, distinct values, or a number. */
function lookedAt(
  { type, percentile }: CorrelationRule,
  { valueFields }: CorrelationMember,
  hit: CorrelationInput,
): string | number | undefined {
  if (valueFields.length === 0) return "";
  const values = valuesOf(valueFields, hit);
  if (values === undefined) return undefined;
  const [only = ""] = values;
  if (type === "value_count") return values.length === 1 ? only : JSON.stringify(values);
  if (type === "value_percentile" && percentile === undefined) return only;
  return numberOf(only);
}

function judged(
  state: RuleState,
  { window, hit }: { readonly window: GroupWindow; readonly hit: WindowHit },
): CorrelationMatch | undefined {
  const { rule, counters } = state;
  const added = window.add(hit);
  if (added === "late") counters.late++;
  if (added !== "added") return undefined;
  let isRepeated = false;
  for (const within of window.windowsWith(hit.timeMs)) {
    const { hits } = within;
    const { value, isMet } = measure(rule, within);
    if (!isMet) continue;
    const lastMs = hits.at(-1)?.timeMs ?? hit.timeMs;
    if (Math.abs(lastMs - window.matchedMs) <= rule.timespanMs) {
      isRepeated = true;
      continue;
    }
    window.matchedMs = lastMs;
    return matchOf(state, { group: window.values, hits, id: hit.id, value });
  }
  if (isRepeated) counters.repeated++;
  return undefined;
}

function matchOf(
  { rule, index, counters }: RuleState,
  found: {
    readonly group: readonly string[];
    readonly hits: readonly WindowHit[];
    readonly id: string;
    readonly value: number;
  },
): CorrelationMatch {
  counters.matched++;
  const { group, hits, id, value } = found;
  return {
    rule,
    index,
    group: rule.groupBy.map((name, i) => ({ name, value: group[i] ?? "" })),
    value,
    hits: hits.length,
    members: named(hits),
    id,
    firstMs: hits[0]?.timeMs ?? 0,
    lastMs: hits.at(-1)?.timeMs ?? 0,
  };
}

/** The newest hit of each member, then the newest of all, by time. */
function named(hits: readonly WindowHit[]): readonly MatchMember[] {
  const newestFirst = hits.toReversed();
  const firsts = new Map<number, WindowHit>();
  for (const hit of newestFirst) if (!firsts.has(hit.member)) firsts.set(hit.member, hit);
  const named = new Set([...firsts.values()].slice(0, MATCH_MEMBERS_MAX));
  for (const hit of newestFirst) {
    if (named.size >= MATCH_MEMBERS_MAX) break;
    named.add(hit);
  }
  return hits.filter((hit) => named.has(hit))
    .map(({ member, id, timeMs }) => ({ member, id, timeMs }));
}

/** A match as a hit of the correlations that refer to it: its group, and its last event. */
function hitOf(
  match: CorrelationMatch,
  { field, isBefore = false }: CorrelationInput,
): CorrelationInput {
  const group = new Map(match.group.map(({ name, value }) => [name, value]));
  return {
    kind: "correlation",
    index: match.index,
    timeMs: match.lastMs,
    isBefore,
    id: match.id,
    field: (name) => group.get(name) ?? field(name),
  };
}
