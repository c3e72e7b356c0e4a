import { type Clock, SYSTEM_CLOCK } from "../../common/config/clock.ts";
import {
  type CorrelationInput,
  type CorrelationMatch,
  Correlator,
  Sightings,
  type SilentMembers,
  silentMembers,
} from "../../common/sigma/correlation/mod.ts";
import { fieldValue, type JsonObject } from "../../common/sigma/event_value.ts";
import type { Alert } from "../../common/wire/mod.ts";
import type { FedAlert } from "../store/store.ts";
import type { AlertMatcher } from "./alert_matcher.ts";
import { makeFleetAlert } from "./fleet_alert.ts";
import type { DetectCounters } from "./messages.ts";
import type { FleetRules } from "./rules.ts";
import { decodeState, encodeState } from "./state.ts";

/** How far an alert may be behind the newest of its group, in milliseconds: hosts lag, links break. */
export const FLEET_LATENESS_MS = 5 * 60_000;
/** How far an alert's time may lie ahead of the hive's clock, in milliseconds. */
export const AHEAD_MS_MAX = 60_000;

/** What a detector works with. */
export interface DetectorOptions {
  readonly matcher: AlertMatcher;
  /** Default: the host's clock. */
  readonly clock?: Clock;
  /** Told what cannot be used. */
  readonly onLine?: (line: string) => void;
}

type Place = Pick<CorrelationInput, "kind" | "index">;

/** Correlates alerts of all hosts. What it finds depends on the alerts and their order alone. */
export class Detector {
  readonly #matcher: AlertMatcher;
  readonly #clock: Clock;
  readonly #onLine: (line: string) => void;
  readonly #counters = { alerts: 0, ahead: 0, raised: 0, position: 0 };
  #rules: FleetRules | undefined;
  #correlator = new Correlator([]);
  #silent: SilentMembers = silentMembers([]);
  #places: ReadonlyMap<string, Place> = new Map();
  #newestMs = -Infinity;

  /** @param options Engine and clock. */
  constructor({ matcher, clock = SYSTEM_CLOCK, onLine = (): void => {} }: DetectorOptions) {
    this.#matcher = matcher;
    this.#clock = clock;
    this.#onLine = onLine;
  }

  /** What it did and holds. */
  get counters(): DetectCounters {
    const { correlations = [] } = this.#rules ?? {};
    return {
      ...this.#counters,
      correlations: correlations.filter(({ scope }) => scope === "fleet").length,
      state: this.#correlator.stats,
    };
  }

  /** Number of the last alert that it took. */
  get position(): number {
    return this.#counters.position;
  }

  /**
   * Takes over rules. Windows of correlations that stay the same stay.
   *
   * @param rules The rules.
   * @throws {ImmuneError} `IMAGE_INVALID` when the engine refuses them; those before stay.
   */
  use(rules: FleetRules): void {
    this.#matcher.use(rules);
    const windows = this.#correlator.save();
    this.#rules = rules;
    this.#silent = silentMembers(rules.correlations, "fleet");
    this.#places = new Map([
      ...placesOf("rule", rules.rules),
      ...placesOf("correlation", rules.correlations),
    ]);
    this.#correlator = this.#made(rules, this.#correlator.sightings);
    this.#recover(() => this.#correlator.restore(windows));
  }

  /**
   * Goes on from what {@linkcode save} gave before a restart.
   *
   * @param position Number of the last alert that is in it.
   * @param state The bytes.
   */
  resume(position: number, state: Uint8Array<ArrayBuffer>): void {
    this.#counters.position = position;
    this.#recover(() => {
      const { windows, sightings } = decodeState(state);
      for (const sighting of sightings) this.#correlator.sightings.restore(sighting);
      this.#correlator.restore(windows);
    });
  }

  /** All that it holds as bytes; windows that are over go first. */
  save(): Uint8Array<ArrayBuffer> {
    if (Number.isFinite(this.#newestMs)) this.#correlator.expire(this.#newestMs);
    return encodeState({
      windows: this.#correlator.save(),
      sightings: [...this.#correlator.sightings.all()],
    });
  }

  /**
   * Takes alerts in the order of their coming.
   *
   * @param fed The alerts.
   * @returns Alerts of its own.
   */
  take(fed: readonly FedAlert[]): readonly Alert[] {
    return fed.flatMap(({ number, alert }) => {
      this.#counters.position = number;
      this.#counters.alerts++;
      return this.#judge(alert);
    });
  }

  #judge(alert: Alert): readonly Alert[] {
    const rules = this.#rules;
    if (rules === undefined) return [];
    const event = { ...alert } as unknown as JsonObject;
    const own = this.#places.get(alert.rule.id);
    const judged = this.#matcher.match(event).map((index): Place => ({ kind: "rule", index }));
    const places = [...own === undefined ? [] : [own], ...judged]
      .filter((place) => this.#correlator.wants(place));
    if (places.length === 0) return [];
    const timeMs = this.#timeOf(alert);
    const field = (name: string): string | undefined => fieldValue(event, name);
    const matches = places.flatMap((place): readonly CorrelationMatch[] =>
      this.#correlator.take({ ...place, timeMs, id: alert.id, field })
    ).filter(({ index }) => !this.#silent.correlations.has(index));
    this.#counters.raised += matches.length;
    return matches.map((match) =>
      makeFleetAlert(match, { last: alert, ruleSet: rules, hash: rules.hash })
    );
  }

  /** A host whose clock is ahead must not make the alerts of all others late. */
  #timeOf({ time }: Alert): number {
    const [saidMs, nowMs] = [Date.parse(time), this.#clock.nowMs()];
    const isAhead = saidMs > nowMs + AHEAD_MS_MAX;
    if (isAhead) this.#counters.ahead++;
    const timeMs = isAhead ? nowMs : saidMs;
    this.#newestMs = Math.max(this.#newestMs, timeMs);
    return timeMs;
  }

  #made({ correlations }: FleetRules, sightings: Sightings): Correlator {
    return new Correlator(correlations, {
      scope: "fleet",
      latenessMs: FLEET_LATENESS_MS,
      sightings,
    });
  }

  #recover(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#onLine(error instanceof Error ? error.message : String(error));
    }
  }
}

function placesOf(
  kind: Place["kind"],
  rules: readonly { readonly id: string }[],
): readonly (readonly [string, Place])[] {
  return rules.map(({ id }, index) => [id, { kind, index }]);
}
