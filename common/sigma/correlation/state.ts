import type { CorrelationRule } from "../correlation_rule.ts";
import { type CorrelationCounters, noCounters } from "./counters.ts";
import { GroupWindow, type WindowSpan } from "./window.ts";

/** Groups of one correlation, from the least recently hit on. */
export class RuleState {
  readonly rule: CorrelationRule;
  /** Its place in `RuleSet.correlations`. */
  readonly index: number;
  readonly span: WindowSpan;
  readonly counters: CorrelationCounters = noCounters();
  readonly #groups = new Map<string, GroupWindow>();
  #bytes = 0;

  /**
   * @param rule The correlation.
   * @param place Where it stands, and how late hits may be, in milliseconds.
   */
  constructor(
    rule: CorrelationRule,
    place: { readonly index: number; readonly latenessMs: number },
  ) {
    this.rule = rule;
    this.index = place.index;
    this.span = { spanMs: rule.timespanMs, latenessMs: place.latenessMs };
  }

  /** Groups that are kept. */
  get size(): number {
    return this.#groups.size;
  }

  /** Reckoned size of all groups, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** All groups, from the least recently hit on. */
  groups(): Iterable<GroupWindow> {
    return this.#groups.values();
  }

  /**
   * Works on a group, which is made where there is none, and counts what it grew by.
   *
   * @param values Its values.
   * @param work What is done to it.
   * @returns What `work` returns.
   */
  touch<T>(values: readonly string[], work: (group: GroupWindow) => T): T {
    const key = JSON.stringify(values);
    const found = this.#groups.get(key);
    const group = found ?? new GroupWindow(values, this.span);
    const before = found?.bytes ?? 0;
    const dropped = group.dropped;
    if (found !== undefined) this.#groups.delete(key);
    this.#groups.set(key, group);
    const result = work(group);
    this.#bytes += group.bytes - before;
    this.counters.hitsDropped += group.dropped - dropped;
    return result;
  }

  /** Lets go of the group that was hit least recently. */
  evict(): void {
    const [oldest] = this.#groups;
    if (oldest !== undefined) this.#remove(...oldest);
  }

  /**
   * Lets go of groups that no hit from now on can complete.
   *
   * @param nowMs Time of the newest hits there are, in milliseconds.
   * @returns How many.
   */
  expire(nowMs: number): number {
    const before = this.#groups.size;
    for (const [key, group] of this.#groups) {
      if (group.newestMs + this.span.spanMs + this.span.latenessMs < nowMs) {
        this.#remove(key, group);
      }
    }
    return before - this.#groups.size;
  }

  #remove(key: string, group: GroupWindow): void {
    this.#groups.delete(key);
    this.#bytes -= group.bytes;
  }
}
