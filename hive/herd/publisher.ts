import { createHash } from "node:crypto";
import type { Clock } from "../../common/config/mod.ts";
import type { Antibody } from "../../common/herd/antibody.ts";
import { writeAntibodySet } from "../../common/herd/set.ts";
import { EVERY_HOST, readDirective } from "../../common/wire/mod.ts";
import { Rounds } from "../rounds.ts";
import type { HerdCall, HerdGives, HerdTakes } from "./herd.ts";

/** How often it is looked whether the herd has changed, in milliseconds. */
export const HERD_LOOK_MS = 1000;
/** All is looked at this often, in milliseconds: antibodies run out, and agents join and go. */
export const HERD_LOOK_ALL_MS = 60_000;

/** Options of {@linkcode HerdPublisher}. */
export interface HerdPublisherOptions {
  readonly store: {
    herd<C extends HerdCall>(call: C, given: HerdTakes<C>): Promise<HerdGives<C>>;
    /** What was ordered last of each target. */
    antibodyDirectives(): Promise<
      readonly { readonly target: string; readonly bytes: Uint8Array }[]
    >;
  };
  readonly sets: {
    get(hash: string): Uint8Array | undefined;
    keepOnly(hashes: ReadonlySet<string>): void;
  };
  /**
   * Orders a target to have a set, or none; gives the set's hash.
   */
  readonly send: (target: string, set: Uint8Array | null) => Promise<string | null>;
  /** Holds what is new against what is ordinary: no host is told of it before. */
  readonly check: () => Promise<void>;
  readonly clock: Clock;
  /** Takes a line for the log. */
  readonly log: (line: string) => void;
}

/** What a target has been ordered to have. */
interface Ordered {
  /** Names its antibodies, whatever the set's number; empty = none. */
  readonly content: string;
  /** SHA-256 of the set; null = none. */
  readonly hash: string | null;
}

/**
 * Has hosts told what they are to have, whenever that is something else than they were told: one
 * set for every host, and one for each canary host besides.
 */
export class HerdPublisher implements AsyncDisposable {
  readonly #options: HerdPublisherOptions;
  readonly #ordered = new Map<string, Ordered>();
  #revision = -1;
  #lookedMs = -Infinity;
  readonly #rounds: Rounds;

  private constructor(options: HerdPublisherOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#rounds = new Rounds({ work: () => this.#look(), everyMs: HERD_LOOK_MS, clock, log });
  }

  /**
   * Begins with what was ordered before.
   *
   * @param options Store, way out, clock and log.
   */
  static async start(options: HerdPublisherOptions): Promise<HerdPublisher> {
    const publisher = new HerdPublisher(options);
    for (const { target, bytes } of await options.store.antibodyDirectives()) {
      const read = readDirective(bytes);
      if ("cause" in read || read.directive.kind !== "antibodies") continue;
      const hash = read.directive.body.set;
      const set = hash === null ? undefined : options.sets.get(hash);
      // What is not here any more is ordered anew.
      const content = hash === null ? "" : set === undefined ? "lost" : contentOf(set);
      publisher.#ordered.set(target, { content, hash });
    }
    publisher.#rounds.start();
    return publisher;
  }

  /** Orders what differs now; what cannot be said is said at the next look. */
  look(): Promise<void> {
    return this.#rounds.now();
  }

  /** Ends it, behind what it is doing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rounds[Symbol.asyncDispose]();
  }

  async #look(): Promise<void> {
    const { store, check, clock } = this.#options;
    const revision = await store.herd("revision", undefined);
    const isDue = clock.monotonicMs() - this.#lookedMs >= HERD_LOOK_ALL_MS;
    if (revision === this.#revision && !isDue) return;
    // What is taken back does not wait for the look at what is new.
    await this.#publish();
    await check();
    await this.#publish();
    this.#revision = revision;
    this.#lookedMs = clock.monotonicMs();
  }

  async #publish(): Promise<void> {
    const { number, fleet, hosts } = await this.#options.store.herd("sets", undefined);
    const wanted = new Map(hosts.map(({ hostId, antibodies }) => [hostId, antibodies]));
    // Every host first: an antibody that goes from the canary hosts to all is on none for no moment.
    await this.#order(EVERY_HOST, { number, antibodies: fleet });
    for (const target of new Set([...wanted.keys(), ...this.#ordered.keys()])) {
      if (target === EVERY_HOST) continue;
      await this.#order(target, { number, antibodies: wanted.get(target) ?? [] });
    }
    const hashes = [...this.#ordered.values()].flatMap(({ hash }) => hash ?? []);
    this.#options.sets.keepOnly(new Set(hashes));
  }

  async #order(
    target: string,
    { number, antibodies }: { readonly number: number; readonly antibodies: readonly Antibody[] },
  ): Promise<void> {
    const content = antibodies.length === 0
      ? ""
      : contentOf(writeAntibodySet({ number: 0, antibodies }));
    if ((this.#ordered.get(target)?.content ?? "") === content) return;
    const set = content === "" ? null : writeAntibodySet({ number, antibodies });
    const hash = await this.#options.send(target, set);
    this.#ordered.set(target, { content, hash });
    const who = target === EVERY_HOST ? "Every host" : `Host "${target}"`;
    this.#options.log(`${who} is to have ${antibodies.length} antibodies`);
  }
}

/** Names the antibodies of a set of one's own, whatever its number. */
function contentOf(set: Uint8Array): string {
  const { antibodies } = JSON.parse(new TextDecoder().decode(set));
  return createHash("sha256").update(JSON.stringify(antibodies)).digest("hex");
}
