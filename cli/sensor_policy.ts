import { resolve } from "node:path";
import type { LoadedIndicators } from "../agent/indicators/messages.ts";
import type { CompiledRules } from "../agent/rules/messages.ts";
import type { Policy, Watch } from "../agent/sensors/mod.ts";
import { WATCHES_MAX } from "../common/record/bounds.ts";
import type { Config } from "../common/config/mod.ts";
import type { KindName } from "../common/record/mod.ts";
import { networkInterestOf } from "../common/sigma/network_filter.ts";

/** What wants something from the sensor. */
export interface Wanting {
  readonly rules: CompiledRules | undefined;
  readonly indicators: LoadedIndicators | undefined;
  /** Kinds to report; default those that rules and indicators need. */
  readonly kinds: readonly KindName[] | undefined;
}

/**
 * What the sensor is to report. Watches of the configuration and of rules come before those of
 * indicators, as far as there is room.
 *
 * @param config The configuration.
 * @param wanting Rules and indicators.
 */
export function policyOf({ sensor }: Config, { rules, indicators, kinds }: Wanting): Policy {
  const wanted = kinds ??
    [...rules?.interest.kinds ?? [], ...indicators === undefined ? [] : kindsOf(indicators)];
  // With the rules alone, the stream is attached when one of them cannot do without.
  const byRules = sensor.open === "rules" && kinds === undefined && rules !== undefined;
  const asked = [...rules?.interest.watches ?? [], ...sensor.watch.map(watchOf)];
  const watches = withIndicators(asked, indicators?.interest.watches ?? []);
  const changes = watches.some(({ wants }) => wants === "changes" || wants === "both");
  return {
    // The process table needs these, whatever is shown.
    kinds: [
      ...new Set<KindName>([
        "exec",
        "fork",
        "exit",
        ...wanted,
        ...changes ? ["change" as const] : [],
      ]),
    ],
    wideOpen: byRules ? rules.interest.wide.length > 0 : sensor.open === "wide",
    ...(byRules ? opensOf(rules, indicators) : {}),
    identity: wanted.includes("identity"),
    hashes: rules?.interest.hashes || indicators?.interest.hashes ? "each" : "first",
    calls: rules?.interest.calls ?? wanted.includes("act"),
    rates: { process: sensor.process_rate, cgroup: sensor.cgroup_rate },
    wakeIntervalUs: sensor.wake_interval_us,
    // Who asks for kinds of events wants all of them.
    publicPeers: kinds === undefined && rules !== undefined && rules.interest.publicPeers &&
      indicators?.interest.privatePeers !== true,
    watches,
    ...networkOf(sensor, { rules, indicators, kinds }),
    ...(rules === undefined ? {} : { roles: rules.interest.roles }),
  };
}

/** The filter of opens: what rules could need, and what is listed. */
function opensOf(
  { interest }: CompiledRules,
  indicators: LoadedIndicators | undefined,
): Pick<Policy, "opens" | "listedFiles"> {
  const listedFiles = indicators?.interest.files;
  return { opens: interest.opens, ...(listedFiles === undefined ? {} : { listedFiles }) };
}

/**
 * What somebody could need of connections: also where nothing of them is filtered or limited it says
 * whose datagrams are told that look like answers.
 */
function networkOf(
  sensor: Config["sensor"],
  { rules, indicators, kinds }: Wanting,
): Pick<Policy, "network"> {
  const filters = sensor.connections === "rules" && kinds === undefined;
  if (kinds !== undefined && sensor.process_rate === 0 && sensor.cgroup_rate === 0) return {};
  const { filter } = rules?.interest.network ?? networkInterestOf([]);
  const listed = indicators?.interest.listed;
  return { network: { filter, filters, ...(listed === undefined ? {} : { listed }) } };
}

/**
 * Listed paths of which no open is seen, in one line; `undefined` when there is nothing.
 *
 * @param indicators The indicators.
 * @param policy What the sensor is asked for.
 */
export function notSeenLine(
  { interest }: LoadedIndicators,
  policy: Pick<Policy, "watches" | "wideOpen">,
): string | undefined {
  if (policy.wideOpen) return undefined;
  const watched = new Set(policy.watches.map(({ path }) => path));
  const left = interest.watches.filter(({ path }) => !watched.has(path)).length;
  const paths = interest.pathsNotWatched + left;
  if (paths === 0) return undefined;
  return `${paths} listed paths are not watched, there is no room: an exec of one is seen, an open ` +
    "is not";
}

function kindsOf({ interest }: LoadedIndicators): readonly KindName[] {
  return [
    ...(interest.address ? ["connect" as const, "accept" as const] : []),
    ...(interest.dns ? ["dns" as const] : []),
    ...(interest.files.keys.length > 0 || interest.files.any ? ["open" as const] : []),
  ];
}

function withIndicators(asked: readonly Watch[], listed: readonly Watch[]): readonly Watch[] {
  const isOpened = ({ type, wants }: Watch) => type === "file" && wants !== "changes";
  const files = new Set(asked.filter(isOpened).map(({ path }) => path));
  const room = Math.max(0, WATCHES_MAX - asked.length);
  return [...asked, ...listed.filter(({ path }) => !files.has(path)).slice(0, room)];
}

/** `/a` is a file, `/a/` the files in it, `/a/**` all below. */
function watchOf(path: string): Watch {
  const wants = "both";
  if (path.endsWith("/**")) {
    return { type: "tree", path: resolve(path.slice(0, -"/**".length)), wants };
  }
  return { type: path.endsWith("/") ? "children" : "file", path: resolve(path), wants };
}
