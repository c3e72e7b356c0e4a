/** What takes inputs while it is open. */
export interface FuzzSubject extends AsyncDisposable {
  /** Good inputs, from which the others are made. */
  readonly seeds: readonly Uint8Array[];
  /**
   * Takes an input. It must come to an end, refuse what does not hold in its own way, and throw
   * nothing else.
   *
   * @param input Bytes, for this call alone.
   * @returns What is wrong with how the input was taken, `undefined` when nothing is.
   */
  feed(input: Uint8Array<ArrayBuffer>): string | undefined | Promise<string | undefined>;
}

/** Something that takes input from outside. A file in tests/fuzz/targets exports one as `target`. */
export interface FuzzTarget {
  /** Makes it. */
  open(): FuzzSubject | Promise<FuzzSubject>;
}

/**
 * A subject that needs no end.
 *
 * @param seeds Good inputs.
 * @param feed Takes one, as `FuzzSubject.feed`.
 */
export function plainSubject(
  seeds: readonly Uint8Array[],
  feed: FuzzSubject["feed"],
): FuzzSubject {
  return { seeds, feed, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/**
 * What is wrong with an answer: only that it is the server's fault.
 *
 * @param response An answer.
 */
export async function serverFault(response: Response): Promise<string | undefined> {
  const text = await response.text();
  return response.status >= 500 ? `status ${response.status}: ${text}` : undefined;
}
