import { ReferenceEvent } from "../../differential/reference/event.ts";
import { ReferenceRule } from "../../differential/reference/rule.ts";
import { fillBatch, type Work, type WorkKind } from "./work.ts";

/** Categories of rules that judge a record. */
const CATEGORY: Readonly<Record<WorkKind, string>> = {
  exec: "process_creation",
  open: "file_event",
};

/** What came of holding hits against the reference. */
export interface Agreement {
  readonly records: number;
  /** Hits, as the reference has them. */
  readonly hits: number;
  /** Hits that one side alone has, the first few as `RULE on FIELDS`. */
  readonly disagreements: number;
  readonly examples: readonly string[];
}

const EXAMPLES_MAX = 5;

/**
 * Judges records by the engine and by the reference evaluator of `tests/differential`.
 *
 * @param work Rules and records; its processes are live.
 * @param options `kind` and number of the records.
 * @returns Where they agree.
 */
export function agreement(
  { engine, rules, set, makers }: Work,
  { kind, records }: { readonly kind: WorkKind; readonly records: number },
): Agreement {
  const references = rules.flatMap((rule, i): readonly (readonly [number, ReferenceRule])[] =>
    rule.category === CATEGORY[kind] ? [[i, new ReferenceRule(rule.text)]] : []
  );
  let [done, hits, disagreements] = [0, 0, 0];
  const examples: string[] = [];
  while (done < records) {
    const events: ReadonlyMap<string, string>[] = [];
    const placed = fillBatch(engine, {
      most: records - done,
      next: () => {
        const record = makers[kind][kind]();
        events.push(record.fields());
        return record;
      },
    });
    const fired = new Map(placed.map(({ offset }) => [offset, new Set<number>()]));
    for (const { offset, rule } of engine.scan(placed.at(-1)?.end ?? 0)) {
      fired.get(offset)?.add(Number(set.rules[rule]?.path));
    }
    placed.forEach(({ offset }, i) => {
      const event = new ReferenceEvent(events[i] ?? new Map());
      for (const [rule, reference] of references) {
        const wanted = reference.fires(event);
        if (wanted) hits++;
        if (wanted === fired.get(offset)?.has(rule)) continue;
        disagreements++;
        if (examples.length === EXAMPLES_MAX) continue;
        examples.push(
          `${rules[rule]?.text} on ${JSON.stringify(Object.fromEntries(events[i] ?? []))}`,
        );
      }
    });
    done += placed.length;
  }
  return { records: done, hits, disagreements, examples };
}
