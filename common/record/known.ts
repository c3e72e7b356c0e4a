/**
 * The members of an object that have a value.
 *
 * @param members Members; `undefined` = left out.
 */
export function known<T extends string>(
  members: Readonly<Record<T, string | undefined>>,
): Readonly<Partial<Record<T, string>>> {
  const pairs = Object.entries<string | undefined>(members);
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined)) as Partial<
    Record<T, string>
  >;
}
