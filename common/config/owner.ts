/** Who may change what is at a path. */
export interface OwnerRule {
  readonly path: string;
  /** Users that may own it; empty = anyone. */
  readonly uids: readonly number[];
  /** Mode bits that it may not have. */
  readonly forbidden: number;
  /** What is to be done about another owner. */
  readonly hint: string;
}

/**
 * Why somebody else may change what is at a path.
 *
 * @param info What the file system says of it.
 * @param rule Who may.
 * @returns One line, `undefined` when nobody else may. Where the system knows no owners, none is
 * wrong.
 */
export function strangersHand(
  { uid, mode }: Pick<Deno.FileInfo, "uid" | "mode">,
  { path, uids, forbidden, hint }: OwnerRule,
): string | undefined {
  if (uids.length > 0 && uid !== null && !uids.includes(uid)) {
    return `it belongs to uid ${uid}, not ${uids.join(" or ")}; ${hint}`;
  }
  if (((mode ?? 0) & forbidden) === 0) return undefined;
  return (forbidden & 0o020) === 0
    ? `anyone may write it; run "chmod o-w ${path}"`
    : `others may write it; run "chmod go-w ${path}"`;
}
