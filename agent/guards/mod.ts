/**
 * What an agent lets others have it do: orders that are signed for this host, the kill switch, and
 * the dead man's switch.
 *
 * @example Time that nobody can set
 * ```ts
 * import { ElapsedClock } from "./mod.ts";
 *
 * let bootMs = 5000;
 * const clock = new ElapsedClock({ bootId: "a".repeat(32), bootMs: () => bootMs });
 * bootMs += 250;
 * console.assert(clock.nowMs() === 250);
 * ```
 *
 * @module
 */
export * from "./canary_watch.ts";
export * from "./check.ts";
export * from "./command_state.ts";
export * from "./elapsed.ts";
export * from "./guard.ts";
