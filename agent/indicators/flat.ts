import { parseAddress } from "../../common/indicators/address.ts";
import {
  canonicalValue,
  HASH_BYTES,
  type IndicatorType,
  keyOf,
} from "../../common/indicators/value.ts";
import { parseCidr } from "../../common/sigma/cidr.ts";
import { fieldValue, type JsonObject } from "../../common/sigma/event_value.ts";
import { domainMatches } from "./domain.ts";
import type { IndicatorLookup } from "./lookup.ts";
import { type IndicatorMatch, matchOf } from "./match.ts";

/** Fields of events that hold values of a type: Sigma's names, which find their ECS paths too. */
const FIELDS: readonly (readonly [kind: "file" | "address" | "domain" | "url", field: string])[] = [
  ["file", "Image"],
  ["file", "ExecFile"],
  ["file", "TargetFilename"],
  ["address", "DestinationIp"],
  ["domain", "DestinationHostname"],
  ["domain", "destination.domain"],
  ["domain", "QueryName"],
  ["domain", "dns.question.name"],
  ["url", "url.full"],
  ["url", "c-uri"],
];
/** Fields that hold one hash. */
const HASH_FIELDS: readonly (readonly [type: keyof typeof HASH_BYTES, field: string])[] =
  (Object.keys(HASH_BYTES) as (keyof typeof HASH_BYTES)[]).flatMap((type) => [
    [type, type] as const,
    [type, `file.hash.${type}`] as const,
    [type, `process.hash.${type}`] as const,
  ]);
/** Sysmon's list: `MD5=...,SHA256=...`. */
const HASHES_FIELD = "Hashes";
/** Longest list of hashes that is read, in characters. */
const HASHES_CHARS_MAX = 1024;

interface Asked {
  readonly lookup: IndicatorLookup;
  readonly nowMs: number;
  readonly field: string;
}

/**
 * The listed values that an event has.
 *
 * @param event Event in ECS form, or flat with Sigma's field names.
 * @param options The indicators in force, and Unix time in milliseconds.
 * @returns Matches, one a value.
 */
export function flatMatches(
  event: JsonObject,
  options: { readonly lookup: IndicatorLookup; readonly nowMs: number },
): readonly IndicatorMatch[] {
  const matches: (IndicatorMatch | undefined)[] = [];
  for (const [kind, field] of FIELDS) {
    const value = fieldValue(event, field);
    if (value !== undefined && value !== "") {
      matches.push(...MATCHERS[kind](value, { ...options, field }));
    }
  }
  for (const [type, value, field] of hashesOf(event)) {
    matches.push(exact(type, value, { ...options, field }));
  }
  const byValue = new Map<string, IndicatorMatch>();
  for (const match of matches) {
    const name = match && `${match.type} ${match.value}`;
    if (match !== undefined && name !== undefined && !byValue.has(name)) byValue.set(name, match);
  }
  return [...byValue.values()];
}

const MATCHERS = {
  file: (value: string, asked: Asked) => {
    const name = value.slice(Math.max(value.lastIndexOf("/"), value.lastIndexOf("\\")) + 1);
    return [exact("path", value, asked), exact("name", name, asked)];
  },
  address: (value: string, asked: Asked) => {
    const parsed = parseAddress(value);
    const network = typeof parsed === "string" ? parsed : parseCidr(parsed.value);
    if (typeof network === "string") return [];
    const indicators = asked.lookup.findAddress(network.address, asked);
    return [matchOf(indicators, { found: value, field: asked.field })];
  },
  domain: domainMatches,
  url: (value: string, asked: Asked) => [exact("url", value, asked)],
} satisfies Record<string, (value: string, asked: Asked) => (IndicatorMatch | undefined)[]>;

function exact(
  type: IndicatorType,
  value: string,
  asked: Asked,
): IndicatorMatch | undefined {
  const canonical = canonicalValue(type, value);
  if (!canonical.ok) return undefined;
  const indicators = asked.lookup.find(type, keyOf(type, canonical.value), asked);
  return matchOf(indicators, { found: value, field: asked.field });
}

function* hashesOf(
  event: JsonObject,
): Generator<readonly [keyof typeof HASH_BYTES, value: string, field: string]> {
  for (const [type, field] of HASH_FIELDS) {
    const value = fieldValue(event, field);
    if (value !== undefined) yield [type, value, field];
  }
  const list = fieldValue(event, HASHES_FIELD)?.slice(0, HASHES_CHARS_MAX) ?? "";
  for (const [, name = "", value = ""] of list.matchAll(/(\w+)=([0-9a-fA-F]+)/g)) {
    const type = name.toLowerCase();
    if (type in HASH_BYTES) yield [type as keyof typeof HASH_BYTES, value, HASHES_FIELD];
  }
}
