import { compileRules, type RuleSet } from "../../common/sigma/mod.ts";
import { encodeFlat, Engine } from "../../wasm/engine/mod.ts";
import { PLACEHOLDERS } from "./generate/detection_item.ts";
import { type FlatEvent, ReferenceEvent } from "./reference/event.ts";
import { ReferenceRule } from "./reference/rule.ts";

/** Room that one flat record may take, in bytes. */
const RECORD_ROOM_BYTES = 24 * 1024;

/** A pair on which the engine and the reference do not agree. */
export interface Disagreement {
  /** Place of the rule among those that were given. */
  readonly rule: number;
  readonly event: FlatEvent;
  /** What each said; the engine's `refused` is the reason why the rule did not load. */
  readonly engine: boolean | { readonly refused: string };
  readonly reference: boolean;
}

/** What came of comparing rules on events. */
export interface Comparison {
  /** Pairs that were judged by both. */
  readonly pairs: number;
  /** Pairs on which the rule fires, as the reference has it. */
  readonly hits: number;
  readonly disagreements: readonly Disagreement[];
}

/** What judges a rule's events one by one. */
export type Reference = Pick<ReferenceRule, "fires">;

/** How a comparer is made. */
export interface ComparerOptions {
  /** Reads a rule for the slow side. Default: a {@linkcode ReferenceRule}. */
  readonly reference?: (text: string) => Reference;
}

/** Judges rules on flat events by the engine and by the reference. */
export class Comparer {
  readonly #engine: Engine;
  readonly #reference: (text: string) => Reference;

  private constructor(engine: Engine, { reference }: ComparerOptions) {
    this.#engine = engine;
    this.#reference = reference ??
      ((text) => new ReferenceRule(text, { placeholders: PLACEHOLDERS }));
  }

  /**
   * Makes one with an engine of its own.
   *
   * @param options The slow side.
   * @returns The comparer.
   */
  static async create(options: ComparerOptions = {}): Promise<Comparer> {
    return new Comparer(await Engine.create(), options);
  }

  /**
   * Judges every rule on every event.
   *
   * @param texts Rules, one YAML document each, with different ids `rule-N`.
   * @param events Events.
   * @returns Counts, and where the two do not agree.
   */
  compare(texts: readonly string[], events: readonly FlatEvent[]): Comparison {
    const sources = texts.map((text, i) => ({ path: String(i), text }));
    const set = compileRules(sources, { placeholders: PLACEHOLDERS });
    const references = new Map(
      set.rules.map(({ path }) => [Number(path), this.#reference(texts[Number(path)] ?? "")]),
    );
    const disagreements: Disagreement[] = set.rejected.map(({ path, reason }) => {
      return {
        rule: Number(path),
        event: new Map(),
        engine: { refused: reason },
        reference: false,
      };
    });
    let hits = 0;
    const fired = this.#scan(set, events);
    events.forEach((fields, i) => {
      const event = new ReferenceEvent(fields);
      for (const [rule, reference] of references) {
        const wanted = reference.fires(event);
        const found = fired[i]?.has(rule) === true;
        if (wanted) hits++;
        if (wanted === found) continue;
        disagreements.push({ rule, event: fields, engine: found, reference: wanted });
      }
    });
    return { pairs: references.size * events.length, hits, disagreements };
  }

  /** For each event the rules that fire, by their place in `texts`. */
  #scan(set: RuleSet, events: readonly FlatEvent[]): readonly ReadonlySet<number>[] {
    const engine = this.#engine;
    engine.publish(set.image);
    const fired = events.map(() => new Set<number>());
    const eventAt = new Map<number, number>();
    let length = 0;
    const flush = (): void => {
      for (const { offset, rule } of engine.scan(length)) {
        fired[eventAt.get(offset) ?? -1]?.add(Number(set.rules[rule]?.path));
      }
      eventAt.clear();
      length = 0;
    };
    events.forEach((event, i) => {
      if (engine.batch.length - length < RECORD_ROOM_BYTES) flush();
      const all = [...event.values()].join("\n");
      const values = set.fields.map((name) => name === "" ? all : event.get(name));
      eventAt.set(length, i);
      length += encodeFlat(values, engine.batch.subarray(length));
    });
    flush();
    const { hits_dropped, tests_unfinished } = engine.stats();
    if (hits_dropped + tests_unfinished > 0) throw new RangeError("The engine left something out");
    return fired;
  }
}
