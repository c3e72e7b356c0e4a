/** Signals that ask the program to end. */
export const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Waits for the first signal that asks the program to end.
 *
 * @param options `over`: nobody waits any more.
 * @returns Settled then.
 */
export async function untilSignal(options: { readonly over?: AbortSignal } = {}): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  options.over?.addEventListener("abort", () => resolve(), { once: true });
  for (const signal of END_SIGNALS) Deno.addSignalListener(signal, resolve);
  try {
    await promise;
  } finally {
    for (const signal of END_SIGNALS) Deno.removeSignalListener(signal, resolve);
  }
}
