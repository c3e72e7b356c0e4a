/**
 * Works on many things, as many at once as the machine has cores.
 *
 * @param things What to work on.
 * @param work Does it for one.
 * @returns What came of each, in the order of the things.
 * @throws What the first one that failed threw, when those at work have ended.
 */
export async function withCrew<T, R>(
  things: readonly T[],
  work: (thing: T) => Promise<R>,
): Promise<readonly R[]> {
  const made: R[] = [];
  const left = things.entries();
  const labour = async (): Promise<void> => {
    for (const [i, thing] of left) made[i] = await work(thing);
  };
  const crew = Array.from({ length: navigator.hardwareConcurrency }, labour);
  for (const done of await Promise.allSettled(crew)) {
    if (done.status === "rejected") throw done.reason;
  }
  return made;
}
