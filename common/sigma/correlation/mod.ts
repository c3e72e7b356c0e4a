/**
 * Correlation: what hits of rules come to together. Pure and bounded; agent, hive and replay run
 * the same code.
 *
 * @example
 * ```ts
 * import { compileRules } from "../mod.ts";
 * import { Correlator } from "./mod.ts";
 *
 * const text = `
 * title: Login failed
 * name: failed
 * logsource: { product: linux, service: sshd }
 * detection: { keywords: [Failed password], condition: keywords }
 * ---
 * title: Three logins failed
 * correlation:
 *   { type: event_count, rules: [failed], group-by: [ip], timespan: 5m, condition: { gte: 3 } }
 * `;
 * const { correlations } = compileRules([{ path: "login.yml", text }]);
 * const correlator = new Correlator(correlations);
 * const matches = [1000, 2000, 3000].flatMap((timeMs) =>
 *   correlator.take({
 *     kind: "rule",
 *     index: 0,
 *     timeMs,
 *     id: `event ${timeMs}`,
 *     field: (name) => name === "ip" ? "192.0.2.1" : undefined,
 *   })
 * );
 * if (matches.length !== 1 || matches[0]?.value !== 3) throw new Error("not found");
 * ```
 *
 * @module
 */
export { Correlator, type CorrelatorOptions, type CorrelatorStats } from "./correlator.ts";
export type { CorrelationCounters } from "./counters.ts";
export { type Sighting, SIGHTING_KEY_BYTES, Sightings } from "./first_seen.ts";
export type { CorrelationInput, CorrelationMatch, MatchMember } from "./hit.ts";
export type { RestoredState } from "./snapshot.ts";
export {
  type SilentMembers,
  silentMembers,
  type UnheardMember,
  unheardMembers,
} from "./silence.ts";
