import type { Level } from "../sigma/severity.ts";
import {
  ID_BYTES_MAX,
  LABEL_BYTES_MAX,
  LABELS_MAX,
  SIGHTINGS_MAX,
  SOURCE_BYTES_MAX,
  TITLE_BYTES_MAX,
} from "./limits.ts";
import { canonicalValue, type IndicatorType } from "./value.ts";

/** A value that somebody listed as a sign of compromise. */
export interface Indicator {
  readonly type: IndicatorType;
  /** In its one form: hashes in lower case, addresses as RFC 5952, domains in ASCII, ... */
  readonly value: string;
  /** Who listed it: a feed's name, or `herd`. */
  readonly source: string;
  /** Its name at the source; `TYPE:VALUE` where the source has none. */
  readonly id: string;
  /** One line for people; empty where there is none. */
  readonly title: string;
  readonly severity: Level;
  /** How sure the source is, 0 to 100; absent where it does not say. */
  readonly confidence?: number;
  readonly labels: readonly string[];
  /** When it was seen first, Unix time in milliseconds. */
  readonly firstSeenMs: number;
  /** When it was listed last, Unix time in milliseconds. */
  readonly listedMs: number;
  /** It is out of force from then on, Unix time in milliseconds; absent = never. */
  readonly expiresMs?: number;
  /** How often others saw it, as the source says. */
  readonly sightings: number;
}

/** What a feed says of a value; all but the first three may be missing. */
export interface ListedValue {
  readonly type: IndicatorType;
  /** As the feed writes it. */
  readonly value: string;
  readonly source: string;
  readonly id?: string | undefined;
  readonly title?: string | undefined;
  /** Default: high, for a bare file name medium. */
  readonly severity?: Level | undefined;
  readonly confidence?: number | undefined;
  readonly labels?: readonly string[] | undefined;
  /** Default: now. */
  readonly firstSeenMs?: number | undefined;
  /** Default: never. */
  readonly expiresMs?: number | undefined;
  readonly sightings?: number | undefined;
}

const UTF8 = new TextEncoder();
/** Last moment that the file has room for: its times are 32-bit seconds. */
const TIME_MS_MAX = 0xFFFF_FFFF * 1000;

/**
 * Makes an indicator of what a feed says: the value in its one form, texts within their bounds.
 *
 * @param listed What the feed says.
 * @param nowMs Unix time in milliseconds.
 * @returns The indicator, or why there is none.
 */
export function makeIndicator(listed: ListedValue, nowMs: number): Indicator | string {
  const { type } = listed;
  const canonical = canonicalValue(type, listed.value);
  if (!canonical.ok) return canonical.why;
  const { value } = canonical;
  const source = listed.source.trim();
  if (source === "" || isLonger(source, SOURCE_BYTES_MAX)) {
    return `its source has no name of 1 to ${SOURCE_BYTES_MAX} bytes`;
  }
  const derived = derivedId(type, value);
  const id = listed.id?.trim() || derived;
  if (id !== derived && isLonger(id, ID_BYTES_MAX)) {
    return `its id is over ${ID_BYTES_MAX} bytes`;
  }
  const { confidence, expiresMs } = listed;
  return {
    type,
    value,
    source,
    id,
    title: cut(oneLine(listed.title ?? ""), TITLE_BYTES_MAX),
    severity: listed.severity ?? (type === "name" ? "medium" : "high"),
    ...(confidence === undefined || !(confidence >= 0) || confidence > 100
      ? {}
      : { confidence: Math.round(confidence) }),
    labels: labelsOf(listed.labels ?? []),
    firstSeenMs: seconds(listed.firstSeenMs ?? nowMs),
    listedMs: seconds(nowMs),
    ...(expiresMs === undefined || !(expiresMs < TIME_MS_MAX)
      ? {}
      : { expiresMs: Math.max(1000, seconds(expiresMs)) }),
    sightings: Math.min(SIGHTINGS_MAX, Math.max(0, Math.floor(listed.sightings ?? 0) || 0)),
  };
}

/**
 * The id of a value whose source gives it none.
 *
 * @param type Type of the value.
 * @param value In its one form.
 */
export function derivedId(type: IndicatorType, value: string): string {
  return `${type}:${value}`;
}

/**
 * Tells whether an indicator is out of force.
 *
 * @param indicator Its expiry.
 * @param nowMs Unix time in milliseconds.
 */
export function isExpired({ expiresMs }: Pick<Indicator, "expiresMs">, nowMs: number): boolean {
  return expiresMs !== undefined && expiresMs <= nowMs;
}

function labelsOf(labels: readonly string[]): readonly string[] {
  if (labels.length === 0) return NO_LABELS;
  const texts = labels.slice(0, LABELS_MAX * 4).map((label) =>
    cut(oneLine(label), LABEL_BYTES_MAX)
  );
  return [...new Set(texts)].filter((label) => label !== "").slice(0, LABELS_MAX);
}

const NO_LABELS: readonly string[] = Object.freeze([]);
// deno-lint-ignore no-control-regex -- they are what is replaced
const CONTROLS = /[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g;
/** Most bytes of UTF-8 that a UTF-16 unit takes. */
const BYTES_PER_UNIT_MAX = 3;

function oneLine(text: string): string {
  if (text === "") return text;
  // Cut before it is looked through: a feed may write megabytes.
  return text.slice(0, 4 * TITLE_BYTES_MAX).replaceAll(CONTROLS, " ").trim();
}

function cut(text: string, bytesMax: number): string {
  if (text.length * BYTES_PER_UNIT_MAX <= bytesMax) return text;
  const { read } = UTF8.encodeInto(text, new Uint8Array(bytesMax));
  return text.slice(0, read).trimEnd();
}

function isLonger(text: string, bytesMax: number): boolean {
  if (text.length * BYTES_PER_UNIT_MAX <= bytesMax) return false;
  return text.length > bytesMax || UTF8.encode(text).length > bytesMax;
}

function seconds(timeMs: number): number {
  const time = Math.floor(Math.min(Math.max(timeMs, 0), TIME_MS_MAX) / 1000) * 1000;
  return Number.isNaN(time) ? 0 : time;
}
