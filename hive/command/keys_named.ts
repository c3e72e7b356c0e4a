import type { Clock } from "../../common/config/mod.ts";
import { EVERY_HOST, type KeysBody, readDirective } from "../../common/wire/mod.ts";
import { DIRECTIVES_PER_ANSWER_MAX } from "../store/directive_store.ts";
import type { Store } from "../store/store.ts";

/** How long a change of keys holds, in milliseconds: as long as an agent may be away. */
export const KEYS_VALIDITY_MS = 400 * 24 * 3600 * 1000;
/** Numbers behind which there is nothing. */
export const EVERYTHING = {
  directive: Number.MAX_SAFE_INTEGER,
  canary: Number.MAX_SAFE_INTEGER,
  stop: Number.MAX_SAFE_INTEGER,
} as const;

/**
 * What every host is told of keys and still holds.
 *
 * @param store Where directives are.
 * @param clock Tells which hold.
 * @returns In the order of their numbers.
 */
export async function keysNamed(
  store: Pick<Store, "directivesFor">,
  clock: Clock,
): Promise<readonly KeysBody[]> {
  const named: KeysBody[] = [];
  for (let directive = 0;;) {
    const query = { hostId: EVERY_HOST, after: { ...EVERYTHING, directive } };
    const rows = await store.directivesFor({ ...query, nowMs: clock.nowMs() });
    for (const { kind, bytes } of rows) {
      const read = kind === "keys" ? readDirective(bytes) : undefined;
      if (read === undefined || "cause" in read || read.directive.kind !== "keys") continue;
      named.push(read.directive.body);
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < DIRECTIVES_PER_ANSWER_MAX) return named;
    directive = last.number;
  }
}
