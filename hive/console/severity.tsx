import type { Child } from "hono/jsx";
import type { Alert } from "../../common/wire/mod.ts";

/**
 * An alert's level as a small sign: the word carries it, the colour only helps.
 *
 * @param props The level.
 */
export function Severity({ level }: { readonly level: Alert["severity"] }): Child {
  return <span class={`badge badge-${level}`}>{level}</span>;
}
