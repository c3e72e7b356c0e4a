import type { EcsDocument } from "../../common/record/mod.ts";
import type { Store } from "../store/store.ts";
import { blockEvents } from "./block_events.ts";

/** Blocks that one question for events looks at, at most. */
export const EVENT_BLOCKS_MAX = 32;

/** Which events are wanted. */
export interface EventsQuery {
  /** Unix time in milliseconds, inclusive. */
  readonly sinceMs: number;
  /** Host id. */
  readonly host?: string | undefined;
  /** `event.action`. */
  readonly action?: string | undefined;
  readonly limit: number;
}

/** Events that were found. */
export interface EventsFound {
  /** Newest block first, newest first in a block. */
  readonly events: readonly EcsDocument[];
  /** True when more match, or may match, than were looked at. */
  readonly truncated: boolean;
}

/**
 * Stored events as ECS documents.
 *
 * @param store Where they are.
 * @param query Which are wanted.
 */
export async function findEvents(store: Store, query: EventsQuery): Promise<EventsFound> {
  const agents = await store.agents();
  const names = new Map(agents.map(({ id, hostName }) => [id, hostName]));
  const asked = query.host === undefined
    ? [undefined]
    : agents.filter(({ hostId }) => hostId === query.host).map(({ id }) => id);
  const events: EcsDocument[] = [];
  for (const agentId of asked) {
    const blocks = await store.blocks({
      sinceMs: query.sinceMs,
      ...(agentId === undefined ? {} : { agentId }),
      limit: EVENT_BLOCKS_MAX,
    });
    for (const block of blocks) {
      for (const event of blockEvents(block, names.get(block.agentId) ?? "")) {
        if (!isWanted(event, query)) continue;
        if (events.length === query.limit) return { events, truncated: true };
        events.push(event);
      }
    }
    if (blocks.length === EVENT_BLOCKS_MAX) return { events, truncated: true };
  }
  return { events, truncated: false };
}

function isWanted(event: EcsDocument, { sinceMs, action }: EventsQuery): boolean {
  if (action !== undefined && event.event.action !== action) return false;
  return Date.parse(event["@timestamp"]) >= sinceMs;
}
