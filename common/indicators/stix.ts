import { ImmuneError } from "../config/errors.ts";
import { isJsonObject, type JsonObject } from "../sigma/event_value.ts";
import { type Feed, type FeedOptions, FeedReader } from "./feed.ts";
import { readPattern } from "./stix_pattern.ts";
import { textOf } from "./text_of.ts";
import { parseTime } from "./time.ts";

/**
 * Reads a STIX 2.0 or 2.1 bundle, or a TAXII envelope: its indicators, as far as single values tell
 * them. Sightings are counted to their indicators; what was revoked is taken back.
 *
 * @param document Parsed JSON.
 * @param options Defaults of the feed.
 * @returns What it lists; what is not understood is named.
 * @throws {ImmuneError} `INPUT_MALFORMED` when it has no objects.
 */
export function readStix(document: unknown, options: FeedOptions): Feed {
  const objects = isJsonObject(document) ? document["objects"] : document;
  if (!Array.isArray(objects)) {
    throw new ImmuneError("INPUT_MALFORMED", 'Cannot read the feed: it has no list of "objects"');
  }
  const reader = new FeedReader(options);
  const names = namesOf(objects);
  const sightings = sightingsOf(objects);
  objects.forEach((object: unknown, i) => {
    const place = `objects[${i}]`;
    if (!isJsonObject(object)) return reader.problem(place, "It is no object");
    if (object["type"] !== "indicator") {
      return reader.skip(
        `${shortText(object["type"]) ?? "an object without a type"} is no indicator`,
      );
    }
    readIndicator(object, { reader, place, names, sightings });
  });
  return reader.result();
}

interface StixContext {
  readonly reader: FeedReader;
  readonly place: string;
  /** Names of identities, by their ids. */
  readonly names: ReadonlyMap<unknown, string>;
  /** Times that an indicator was sighted, by its id. */
  readonly sightings: ReadonlyMap<unknown, number>;
}

function readIndicator(object: JsonObject, context: StixContext): void {
  const { reader, place, names, sightings } = context;
  const id = textOf(object["id"]);
  const source = names.get(object["created_by_ref"]);
  if (object["revoked"] === true) {
    return id === undefined
      ? reader.problem(place, "It is revoked, but has no id")
      : reader.withdraw(id, source);
  }
  const pattern = textOf(object["pattern"]);
  const language = textOf(object["pattern_type"]) ?? "stix";
  if (language !== "stix") {
    return reader.problem(place, `Its pattern is ${shortText(language)}, not stix`);
  }
  if (pattern === undefined) return reader.problem(place, "It has no pattern");
  const expires = object["valid_until"];
  const expiresMs = parseTime(expires);
  if (expires !== undefined && expiresMs === undefined) {
    return reader.problem(place, "Its valid_until is no time");
  }
  const { values, left } = readPattern(pattern);
  for (const why of left) reader.problem(place, `A part of its pattern is left out: ${why}`);
  const confidence = object["confidence"];
  const entry = {
    place,
    source,
    id,
    title: textOf(object["name"]) ?? textOf(object["description"]),
    labels: [...textsOf(object["labels"]), ...textsOf(object["indicator_types"])],
    confidence: typeof confidence === "number" ? confidence : undefined,
    firstSeenMs: parseTime(object["valid_from"]) ?? parseTime(object["created"]),
    expiresMs,
    sightings: sightings.get(object["id"]) ?? 0,
  };
  for (const typed of values) reader.list(typed, entry);
}

function namesOf(objects: readonly unknown[]): ReadonlyMap<unknown, string> {
  return new Map(
    objects.filter(isJsonObject).flatMap((object): [unknown, string][] => {
      const name = textOf(object["name"]);
      return object["type"] === "identity" && name !== undefined ? [[object["id"], name]] : [];
    }),
  );
}

function sightingsOf(objects: readonly unknown[]): ReadonlyMap<unknown, number> {
  const counts = new Map<unknown, number>();
  for (const object of objects) {
    if (!isJsonObject(object) || object["type"] !== "sighting") continue;
    const { count = 1, sighting_of_ref: of } = object;
    const times = typeof count === "number" && count > 0 ? count : 1;
    counts.set(of, (counts.get(of) ?? 0) + times);
  }
  return counts;
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

/** Longest text that is made part of a reason. */
const SHOWN_MAX = 40;

function shortText(value: unknown): string | undefined {
  return typeof value === "string" ? value.slice(0, SHOWN_MAX) : undefined;
}
