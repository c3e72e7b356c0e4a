import type { Clock } from "../../common/config/mod.ts";
import type { Antibody } from "../../common/herd/antibody.ts";
import { ANTIBODY_RULE_PREFIX } from "../../common/herd/antibody.ts";
import type { EcsDocument } from "../../common/record/mod.ts";
import type { JsonObject } from "../../common/sigma/mod.ts";
import { blockEvents } from "../api/block_events.ts";
import type { Store } from "../store/store.ts";
import { textsOf } from "./evidence.ts";
import { rulesMatch } from "./ordinary_rules.ts";

/** How far back events count as what is ordinary, in milliseconds. */
export const ORDINARY_AGE_MS = 24 * 60 * 60 * 1000;
/** Most hosts that are looked at, chosen anew each time. */
export const ORDINARY_HOSTS_MAX = 32;
/** Parts of that time that are looked into, so that what is done at night is seen by day. */
export const ORDINARY_WINDOWS = 8;
/** Events of each part that are looked at, the newest; one block more may be begun. */
export const ORDINARY_EVENTS_PER_WINDOW = 1000;
/** Blocks of each part that are looked at, the newest: a quiet host has small ones. */
export const ORDINARY_BLOCKS_PER_WINDOW = 32;
/** Newest alerts of a host that tell an attacked one from an ordinary one. */
const ALERTS_PER_HOST_MAX = 1000;

/** What the look works with. */
export interface OrdinaryLookOptions {
  readonly store: Pick<Store, "herd" | "agents" | "blocks" | "alerts">;
  readonly clock: Clock;
  /** Numbers in [0, 1) that choose hosts. Default `Math.random`. */
  readonly random?: () => number;
}

/** Says which antibodies, by their place, an event or alert has. */
type Match = (document: JsonObject) => readonly number[];

/**
 * Holds antibodies against what the fleet does all day, before any host gets one: the events of the
 * last day on hosts that it was not born on. A host with such an event and no alert about one has
 * it as something ordinary.
 */
export class OrdinaryLook {
  readonly #options: OrdinaryLookOptions;

  /** @param options Store and clock. */
  constructor(options: OrdinaryLookOptions) {
    this.#options = options;
  }

  /** Looks for each that was not looked for yet, and tells the herd what was found. */
  async run(): Promise<void> {
    const { store } = this.#options;
    const waiting = await store.herd("unchecked", undefined);
    if (waiting.length === 0) return;
    const match = await matchOf(waiting.map(({ antibody }) => antibody));
    const found = waiting.map(() => ({ looked: 0, hosts: 0 }));
    for (const { id, hostId } of await this.#sample()) {
      const ordinary = await this.#ordinaryOn({ agentId: id, hostId }, match);
      if (ordinary === undefined) continue;
      for (const [place, counts] of found.entries()) {
        if (waiting[place]?.born.includes(hostId)) continue;
        counts.looked++;
        if (ordinary.has(place)) counts.hosts++;
      }
    }
    for (const [place, counts] of found.entries()) {
      const antibodyId = waiting[place]?.antibody.id ?? "";
      await store.herd("checked", { antibodyId, ...counts });
    }
  }

  /** Some of the agents that are accepted. */
  async #sample(): Promise<readonly { readonly id: string; readonly hostId: string }[]> {
    const { store, random = Math.random } = this.#options;
    const agents = (await store.agents()).filter(({ revoked }) => !revoked);
    return agents.map((agent) => ({ agent, place: random() }))
      .sort((a, b) => a.place - b.place)
      .slice(0, ORDINARY_HOSTS_MAX)
      .map(({ agent }) => agent);
  }

  /** The newest events of a host in a part of the day. */
  async *#events(agentId: string, untilMs: number): AsyncGenerator<EcsDocument, void, void> {
    const sinceMs = untilMs - WINDOW_MS;
    const limit = ORDINARY_BLOCKS_PER_WINDOW;
    let events = 0;
    for (const block of await this.#options.store.blocks({ agentId, sinceMs, untilMs, limit })) {
      if (events >= ORDINARY_EVENTS_PER_WINDOW) return;
      const found = blockEvents(block, "");
      events += found.length;
      yield* found;
    }
  }

  /** Which of them a host has as something ordinary; `undefined` = nothing is known of it. */
  async #ordinaryOn(
    { agentId, hostId }: { readonly agentId: string; readonly hostId: string },
    match: Match,
  ): Promise<ReadonlySet<number> | undefined> {
    const { store, clock } = this.#options;
    const nowMs = clock.nowMs();
    const seen = new Set<number>();
    let isKnown = false;
    for (let window = 0; window < ORDINARY_WINDOWS; window++) {
      const untilMs = nowMs - window * WINDOW_MS;
      for await (const event of this.#events(agentId, untilMs)) {
        isKnown = true;
        for (const place of match(event as unknown as JsonObject)) seen.add(place);
      }
    }
    if (!isKnown) return undefined;
    if (seen.size === 0) return seen;
    const sinceMs = nowMs - ORDINARY_AGE_MS;
    const { alerts } = await store.alerts({ hostId, sinceMs, limit: ALERTS_PER_HOST_MAX });
    for (const alert of alerts) {
      // The herd does not confirm itself.
      if (alert.rule.id.startsWith(ANTIBODY_RULE_PREFIX)) continue;
      for (const place of match(alert as unknown as JsonObject)) seen.delete(place);
    }
    return seen;
  }
}

const WINDOW_MS = ORDINARY_AGE_MS / ORDINARY_WINDOWS;

/** Values are looked for as texts of an event, ports and rules by the engine. */
async function matchOf(antibodies: readonly Antibody[]): Promise<Match> {
  const isValue = ({ type }: Antibody): boolean => type !== "rule" && type !== "port";
  const places = [...antibodies.entries()];
  const values = places.filter(([, antibody]) => isValue(antibody));
  const ruled = places.filter(([, antibody]) => !isValue(antibody));
  const fired = ruled.length === 0 ? (): readonly number[] => [] : await rulesMatch(ruled);
  return (document) => {
    const texts = values.length === 0 ? new Set<string>() : textsOf(document);
    return [
      ...values.filter(([, { value }]) => texts.has(value)).map(([place]) => place),
      ...fired(document),
    ];
  };
}
