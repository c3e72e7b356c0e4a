/**
 * The hive's own detection: correlations over the alerts of all hosts (specs/correlation.md). It
 * runs in a Worker of its own, reads alerts from the store in the order of their coming, and puts
 * alerts of its own beside them.
 *
 * @example
 * ```ts
 * import { DETECT_WORKER, FLEET_LATENESS_MS } from "./mod.ts";
 *
 * console.assert(DETECT_WORKER.name === "immune-detect" && FLEET_LATENESS_MS === 300_000);
 * ```
 *
 * @module
 */
export { AHEAD_MS_MAX, FLEET_LATENESS_MS } from "./detector.ts";
export { FEED_ALERTS_MAX, FEED_INTERVAL_MS, STATE_SAVE_MS } from "./feed.ts";
export { DETECT_WORKER, type DetectCounters, type RulesPlace } from "./messages.ts";
export { DetectWorker, type DetectWorkerOptions } from "./owner.ts";
