import { type Clock, ImmuneError } from "../../common/config/mod.ts";
import { STORE_TIMEOUT_MS } from "./bounds.ts";

/**
 * Waits for the store, but not for ever: an agent that gets no answer would wait too.
 *
 * @param answer What the store was asked. It may still come to pass behind the deadline; the agent
 * sends again what it has no acknowledgement for, and the store skips what it has.
 * @param clock Where the time comes from.
 * @returns The store's answer.
 * @throws {ImmuneError} `STORE_FAILED` when none came within 30 s.
 */
export async function fromStore<T>(answer: Promise<T>, clock: Clock): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = clock.setTimer(() => {
    const message = `Cannot reach the store: no answer within ${STORE_TIMEOUT_MS} ms`;
    late.reject(new ImmuneError("STORE_FAILED", message));
  }, STORE_TIMEOUT_MS);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    timer.cancel();
  }
}
