/**
 * The names that a condition means behind `of`: those like a pattern, or `them`. A name that starts
 * with `_` is meant only when the pattern starts so too.
 *
 * @param wanted Name with `*` wildcards, or `them`.
 * @param names All names there are.
 */
export function namesLike(wanted: string, names: readonly string[]): readonly string[] {
  const pattern = wanted.toLowerCase() === "them" ? "*" : wanted;
  const parts = pattern.split("*");
  return names.filter((name) =>
    isLike(name, parts) && (!name.startsWith("_") || pattern.startsWith("_"))
  );
}

/** Whether a name has the parts of a pattern in their order, first and last at its ends. */
function isLike(name: string, parts: readonly string[]): boolean {
  const [first = "", ...others] = parts;
  const last = others.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first)) return false;
  let from = first.length;
  for (const part of others) {
    const at = name.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return name.length - last.length >= from && name.endsWith(last);
}
