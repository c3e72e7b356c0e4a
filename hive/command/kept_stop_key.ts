import * as z from "zod";
import type { StopKeyFacts } from "../../common/keys/mod.ts";
import type { Store } from "../store/store.ts";
import { stopKeySchema } from "./schemas.ts";

/** Kind and id of the document with what is published of the stop key. */
const DOCUMENT = { kind: "kill_switch", id: "stop_key" } as const;

/** What is published of the stop key, as the hive keeps it. */
export interface KeptStopKey {
  readonly facts: StopKeyFacts;
  /** Of the stop key before it over this one, for agents that know that one; null = none. */
  readonly signature: string | null;
  /** Of the document; the next is one more. */
  readonly version: number;
}

const bodySchema = z.looseObject({ signature: z.string().nullable().default(null) });

/**
 * What is kept of the stop key.
 *
 * @param store Where it is.
 * @returns `undefined` when there is none yet.
 */
export async function keptStopKey(
  store: Pick<Store, "document">,
): Promise<KeptStopKey | undefined> {
  const document = await store.document(DOCUMENT.kind, DOCUMENT.id);
  if (document === undefined) return undefined;
  const { signature, ...facts } = bodySchema.parse(JSON.parse(document.body));
  return { facts: stopKeySchema.parse(facts), signature, version: document.version };
}

/**
 * Keeps it.
 *
 * @param store Where to.
 * @param key The stop key, with the version that follows the one before.
 * @returns False when another came first.
 */
export async function keepStopKey(
  store: Pick<Store, "putDocument">,
  { facts, signature, version }: KeptStopKey,
): Promise<boolean> {
  const body = JSON.stringify({ ...stopKeySchema.parse(facts), signature });
  return await store.putDocument({ ...DOCUMENT, key: null, version, body });
}
