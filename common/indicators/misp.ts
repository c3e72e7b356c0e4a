import { ImmuneError } from "../config/errors.ts";
import { isJsonObject, type JsonObject } from "../sigma/event_value.ts";
import type { Level } from "../sigma/severity.ts";
import { type Feed, type FeedEntry, type FeedOptions, FeedReader } from "./feed.ts";
import { textOf } from "./text_of.ts";
import { parseTime } from "./time.ts";
import { typedValues } from "./type_name.ts";

/** MISP's threat levels. */
const LEVELS: Readonly<Record<string, Level>> = { "1": "high", "2": "medium", "3": "low" };

/**
 * Reads MISP events: one as it is exported, a list of them, or a search's `response`. Attributes of
 * the event and of its objects are listed when `to_ids` is set; deleted ones are taken back.
 *
 * @param document Parsed JSON.
 * @param options Defaults of the feed.
 * @returns What it lists; what is not understood is named.
 * @throws {ImmuneError} `INPUT_MALFORMED` when it has no event.
 */
export function readMisp(document: unknown, options: FeedOptions): Feed {
  const reader = new FeedReader(options);
  const events = eventsOf(document);
  if (events.length === 0) {
    throw new ImmuneError("INPUT_MALFORMED", 'Cannot read the feed: it has no MISP "Event"');
  }
  for (const { event, place } of events) readEvent(event, { reader, place });
  return reader.result();
}

interface PlacedEvent {
  readonly event: JsonObject;
  readonly place: string;
}

function eventsOf(document: unknown): readonly PlacedEvent[] {
  const inner = isJsonObject(document) ? document["response"] ?? document : document;
  // A search for attributes gives them without an event.
  if (isJsonObject(inner) && Array.isArray(inner["Attribute"])) {
    return [{ event: inner, place: "response" }];
  }
  const list = Array.isArray(inner) ? inner : [inner];
  return list.flatMap((each: unknown, i): PlacedEvent[] => {
    const event = isJsonObject(each) ? each["Event"] : undefined;
    return isJsonObject(event)
      ? [{ event, place: list.length > 1 ? `[${i}].Event` : "Event" }]
      : [];
  });
}

function readEvent(
  event: JsonObject,
  { reader, place }: { readonly reader: FeedReader; readonly place: string },
): void {
  const maker = isJsonObject(event["Orgc"]) ? textOf(event["Orgc"]["name"]) : undefined;
  const about = {
    title: textOf(event["info"]),
    source: maker,
    severity: LEVELS[String(event["threat_level_id"])],
    labels: tagsOf(event),
  };
  const readAll = (attributes: unknown, where: string): void =>
    listOf(attributes).forEach((attribute, i) =>
      readAttribute(attribute, { reader, place: `${where}[${i}]`, about })
    );
  readAll(event["Attribute"], `${place}.Attribute`);
  listOf(event["Object"]).forEach((object, i) => {
    const where = `${place}.Object[${i}]`;
    if (!isJsonObject(object)) return reader.problem(where, "It is no object");
    if (isTrue(object["deleted"])) return reader.skip("a deleted object");
    readAll(object["Attribute"], `${where}.Attribute`);
  });
}

function readAttribute(
  attribute: unknown,
  { reader, place, about }: {
    readonly reader: FeedReader;
    readonly place: string;
    readonly about: FeedEntry;
  },
): void {
  if (!isJsonObject(attribute)) return reader.problem(place, "It is no object");
  const id = textOf(attribute["uuid"]);
  const type = textOf(attribute["type"]);
  const value = textOf(attribute["value"]);
  if (isTrue(attribute["deleted"])) {
    return id === undefined
      ? reader.skip("a deleted attribute")
      : reader.withdraw(id, about.source);
  }
  if (!isTrue(attribute["to_ids"])) return reader.skip("to_ids is not set");
  if (type === undefined || value === undefined) {
    return reader.problem(place, "It has no type or no value");
  }
  const typed = typedValues(type, value);
  if (typed.length === 0) {
    return reader.problem(place, `Its type "${type.slice(0, 40)}" is none that is listed`);
  }
  const entry = {
    ...about,
    place,
    id,
    labels: [...tagsOf(attribute), ...about.labels ?? []],
    firstSeenMs: parseTime(attribute["first_seen"]) ?? parseTime(attribute["timestamp"]),
    sightings: listOf(attribute["Sighting"]).length,
  };
  for (const each of typed) reader.list(each, entry);
}

function tagsOf({ Tag: tags }: JsonObject): string[] {
  return listOf(tags).flatMap((tag) => isJsonObject(tag) ? textOf(tag["name"]) ?? [] : []);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isTrue(value: unknown): boolean {
  return value === true || value === 1 || value === "1" || value === "true";
}
