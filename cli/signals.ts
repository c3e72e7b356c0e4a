/** Signals that ask the program to end. */
export const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Settled at the first signal that asks the program to end. */
export async function untilSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of END_SIGNALS) Deno.addSignalListener(signal, resolve);
  try {
    await promise;
  } finally {
    for (const signal of END_SIGNALS) Deno.removeSignalListener(signal, resolve);
  }
}
