import { assert } from "@std/assert";

/** Between two looks, in milliseconds. */
const LOOK_EVERY_MS = 50;

/** Looks again and again until `find` gives what is looked for; `what` names it in the failure. */
export type Eventually = <T>(what: string, find: () => Promise<T | undefined>) => Promise<T>;

/**
 * A way to wait for what comes to pass by and by.
 *
 * @param deadlineMs Longest that it may take, in milliseconds.
 */
export function within(deadlineMs: number): Eventually {
  return async (what, find) => {
    const until = performance.now() + deadlineMs;
    for (;;) {
      const found = await find();
      if (found !== undefined) return found;
      assert(performance.now() < until, `it did not come to pass: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  };
}
