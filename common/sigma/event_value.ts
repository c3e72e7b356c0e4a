import { ImmuneError } from "../config/errors.ts";
import { alertField } from "./alert_fields.ts";
import { KEYWORDS_FIELD } from "./criterion.ts";
import { standardField } from "./fields.ts";
import { logField } from "./log_fields.ts";

/** A JSON object: an event in ECS form, or flat with Sigma field names. */
export type JsonObject = { readonly [key: string]: unknown };

/**
 * Tells whether a value is a JSON object (no array, not null).
 *
 * @param value Any JSON value.
 */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The value of a field of an event.
 *
 * @param event The event: the field's own name first, then its ECS path, nested or dotted.
 * @param field Field name as a rule has it; `KEYWORDS_FIELD`: all values, a line each.
 * @returns Text, or `undefined` where the field is absent or null. Lists and objects give their JSON.
 * @throws {ImmuneError} `INPUT_MALFORMED` when they are nested too deep for that.
 */
export function fieldValue(event: JsonObject, field: string): string | undefined {
  if (field === KEYWORDS_FIELD) return [...valuesOf(event)].join("\n");
  if (Object.hasOwn(event, field)) return valueText(event[field]);
  const ecs = standardField(field)?.ecs ?? alertField(field) ?? logField(field) ?? field;
  if (Object.hasOwn(event, ecs)) return valueText(event[ecs]);
  let value: unknown = event;
  for (const key of ecs.split(".")) {
    if (!isJsonObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return valueText(value);
}

/** JSON.parse takes any depth that a line has room for; JSON.stringify does not. */
function json(value: object): string {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw new ImmuneError("INPUT_MALFORMED", "Line has a value that is nested too deep", { cause });
  }
}

/** All texts, numbers and truth values of an event, at any depth, without what it says of its log. */
function* valuesOf(event: JsonObject): Generator<string> {
  // A stack of its own: a line has room for values nested deeper than calls can go.
  const waiting: unknown[] = Object.entries(event)
    .flatMap(([key, value]) => key === "logsource" ? [] : [value]).reverse();
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value === "object" && value !== null) {
      for (const inner of Object.values(value).reverse()) waiting.push(inner);
    } else if (value !== null && value !== undefined) yield String(value);
  }
}

function valueText(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  return typeof value === "object" ? json(value) : String(value);
}
