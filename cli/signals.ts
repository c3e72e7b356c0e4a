/** Signals that ask a program without rules to end. */
const END_SIGNALS: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
const RELOAD_SIGNAL = "SIGHUP";

/**
 * Signals that ask a program with rules to end. A terminal that goes away sends SIGHUP; where there is
 * none, SIGHUP asks to read the rules again.
 */
export function endSignals(): readonly Deno.Signal[] {
  if (Deno.stdin.isTerminal()) return END_SIGNALS;
  return END_SIGNALS.filter((signal) => signal !== RELOAD_SIGNAL);
}

/**
 * Acts when the program is asked to read its rules again.
 *
 * @param act What to do; while it goes on, more requests count as one that comes after it.
 * @returns Ends that, when it is disposed of.
 */
export function onReloadSignal(act: () => Promise<void> | void): Disposable {
  if (endSignals().includes(RELOAD_SIGNAL)) return { [Symbol.dispose]: () => {} };
  let isActing = false;
  let isAskedAgain = false;
  const listener = async (): Promise<void> => {
    isAskedAgain = true;
    if (isActing) return;
    isActing = true;
    while (isAskedAgain) {
      isAskedAgain = false;
      await act();
    }
    isActing = false;
  };
  Deno.addSignalListener(RELOAD_SIGNAL, listener);
  return { [Symbol.dispose]: () => Deno.removeSignalListener(RELOAD_SIGNAL, listener) };
}

/**
 * Waits for the first signal that asks the program to end.
 *
 * @param options `over`: nobody waits any more; `signals`: those that ask, default all three.
 * @returns Settled then.
 */
export async function untilSignal(
  { over, signals = END_SIGNALS }: {
    readonly over?: AbortSignal;
    readonly signals?: readonly Deno.Signal[];
  } = {},
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  over?.addEventListener("abort", () => resolve(), { once: true });
  for (const signal of signals) Deno.addSignalListener(signal, resolve);
  try {
    await promise;
  } finally {
    for (const signal of signals) Deno.removeSignalListener(signal, resolve);
  }
}
