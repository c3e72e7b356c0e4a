import type { RuleDocument, Step } from "./document.ts";
import { invalid, type Position, RuleProblem } from "./problem.ts";

/** A document of a rule file, or the problem that keeps it from being read. */
export type ReadDocument = RuleDocument | RuleProblem;

type Keys = Readonly<Record<string, unknown>>;

/**
 * Puts the documents of a rule collection together: `action: global` gives its keys to those that
 * follow, until the next one or `action: reset`; `action: repeat` is the document before it with
 * other keys. Maps are merged, of anything else a document's own wins.
 *
 * @param documents Documents of one file, in their order.
 * @returns Documents that stand for themselves, without `action`.
 */
export function collect(documents: readonly ReadDocument[]): readonly ReadDocument[] {
  if (!documents.some((document) => actionOf(document) !== undefined)) return documents;
  const out: ReadDocument[] = [];
  let global: RuleDocument | undefined;
  let previous: RuleDocument | undefined;
  for (const document of documents) {
    const action = actionOf(document);
    if (document instanceof RuleProblem) out.push(document);
    else if (action === "global") global = document;
    else if (action === "reset") global = undefined;
    else if (action === undefined) {
      previous = global === undefined ? document : merged(global, document);
      out.push(previous);
    } else if (action !== "repeat") out.push(unknownAction(document));
    else if (previous === undefined) {
      const reason = `"action: repeat" has no document before it to repeat`;
      out.push(invalid(reason, document.position(["action"])));
    } else {
      previous = merged(previous, document);
      out.push(previous);
    }
  }
  return out;
}

function unknownAction(document: RuleDocument): RuleProblem {
  const reason = `"action" is "${actionOf(document)}"; there are global, reset and repeat`;
  return invalid(reason, document.position(["action"]));
}

function actionOf(document: ReadDocument): unknown {
  return document instanceof RuleProblem || !isMap(document.value)
    ? undefined
    : document.value["action"];
}

function isMap(value: unknown): value is Keys {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function merged(base: RuleDocument, over: RuleDocument): RuleDocument {
  const { action: _, ...value } = mergedKeys(
    isMap(base.value) ? base.value : {},
    isMap(over.value) ? over.value : {},
  );
  return {
    value,
    start: over.start,
    position: (path: readonly Step[]): Position =>
      stepsIn(base.value, path) > stepsIn(over.value, path)
        ? base.position(path)
        : over.position(path),
  };
}

function mergedKeys(base: Keys, over: Keys): Keys {
  const keys: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const under = keys[key];
    keys[key] = isMap(under) && isMap(value) ? mergedKeys(under, value) : value;
  }
  return keys;
}

/** How many steps of a path a value has. */
function stepsIn(value: unknown, path: readonly Step[]): number {
  let at = value;
  for (const [i, step] of path.entries()) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return i;
    at = Reflect.get(at, step);
  }
  return path.length;
}
