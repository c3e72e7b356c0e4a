import type { Level } from "../sigma/severity.ts";
import { parseAddress } from "./address.ts";
import { hostOfUrl } from "./domain.ts";
import { type Indicator, type ListedValue, makeIndicator } from "./indicator.ts";
import { INDICATORS_MAX, PROBLEMS_NAMED_MAX } from "./limits.ts";
import type { TypedValue } from "./type_name.ts";

/** How a feed is read. */
export interface FeedOptions {
  /** Unix time in milliseconds. */
  readonly nowMs: number;
  /** Its name where it does not give itself one. */
  readonly name: string;
  /** Its name, whatever it says itself. */
  readonly source?: string | undefined;
  /** Expiry of what has none: Unix time in milliseconds. Default: never. */
  readonly expiresMs?: number | undefined;
  /** Severity of what has none. */
  readonly severity?: Level | undefined;
  /** List the host of every URL too; default only where the URL names nothing but the host. */
  readonly urlHosts?: boolean | undefined;
}

/** What a feed has that cannot be listed. */
export interface FeedProblem {
  /** Where in the feed: `line 7`, `objects[3]`. */
  readonly place: string;
  readonly reason: string;
}

/** What a feed came to. */
export interface Feed {
  readonly indicators: readonly Indicator[];
  /** What it takes back. */
  readonly withdrawn: readonly { readonly source: string; readonly id: string }[];
  /** The first of its problems. */
  readonly problems: readonly FeedProblem[];
  /** All of them. */
  readonly problemCount: number;
  /** What was left out on purpose, by why. */
  readonly skipped: ReadonlyMap<string, number>;
}

/** What a feed says of a value, without the defaults. */
export type FeedEntry = Omit<ListedValue, "type" | "value" | "source"> & {
  readonly source?: string | undefined;
};

/** Takes what a feed lists, piece by piece. */
export class FeedReader {
  readonly #options: FeedOptions;
  readonly #indicators: Indicator[] = [];
  readonly #withdrawn: { source: string; id: string }[] = [];
  readonly #problems: FeedProblem[] = [];
  readonly #skipped = new Map<string, number>();
  #problemCount = 0;

  /** @param options Defaults of the feed. */
  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /**
   * Lists a value.
   *
   * @param typed The value and what it is.
   * @param about What the feed says of it, and where.
   */
  list(typed: TypedValue, about: FeedEntry & { readonly place: string }): void {
    if (typed.type === "url") {
      const host = hostOfUrl(typed.value);
      const wantsHost = host !== undefined && (host.isAll || this.#options.urlHosts === true);
      if (wantsHost) this.#list(hostType(host.host), about);
      if (host?.isAll === true) return;
    }
    this.#list(typed, about);
  }

  /**
   * Takes back what the feed listed under an id.
   *
   * @param id The id.
   * @param source Its source, where the feed names one.
   */
  withdraw(id: string, source?: string): void {
    if (this.#withdrawn.length >= INDICATORS_MAX) return this.skip(OVER);
    this.#withdrawn.push({ source: this.#source(source), id });
  }

  /** Names what cannot be listed. */
  problem(place: string, reason: string): void {
    this.#problemCount++;
    if (this.#problems.length < PROBLEMS_NAMED_MAX) this.#problems.push({ place, reason });
  }

  /** Counts what is left out on purpose. */
  skip(reason: string): void {
    this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + 1);
  }

  /** What it came to. */
  result(): Feed {
    return {
      indicators: this.#indicators,
      withdrawn: this.#withdrawn,
      problems: this.#problems,
      problemCount: this.#problemCount,
      skipped: this.#skipped,
    };
  }

  #list(
    { type, value }: TypedValue,
    { place, ...entry }: FeedEntry & { readonly place: string },
  ): void {
    const { nowMs, expiresMs, severity } = this.#options;
    const address = type === "address" ? parseAddress(value) : undefined;
    if (typeof address === "string") {
      return this.problem(place, `Cannot list ${quoted(value)}: ${address}`);
    }
    const made = makeIndicator({
      ...entry,
      type: address?.type ?? (type === "address" ? "ipv4" : type),
      value: address?.value ?? value,
      source: this.#source(entry.source),
      expiresMs: entry.expiresMs ?? expiresMs,
      severity: entry.severity ?? severity,
    }, nowMs);
    if (typeof made === "string") this.problem(place, `Cannot list ${quoted(value)}: ${made}`);
    else if (this.#indicators.length >= INDICATORS_MAX) this.skip(OVER);
    else this.#indicators.push(made);
  }

  #source(own: string | undefined): string {
    return this.#options.source ?? (own?.trim() || this.#options.name);
  }
}

const OVER = `over ${INDICATORS_MAX} of one feed`;
/** Characters of a value that a message shows. */
const SHOWN_MAX = 80;

/**
 * A value in quotes for a message, cut where it is long.
 *
 * @param value Any text.
 */
export function quoted(value: string): string {
  return value.length > SHOWN_MAX ? `"${value.slice(0, SHOWN_MAX)}..."` : `"${value}"`;
}

function hostType(host: string): TypedValue {
  const isAddress = typeof parseAddress(host) !== "string";
  return { type: isAddress ? "address" : "domain", value: host };
}
