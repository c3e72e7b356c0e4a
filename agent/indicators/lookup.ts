import { networkKey } from "../../common/sigma/cidr.ts";
import { type Indicator, isExpired } from "../../common/indicators/indicator.ts";
import { SetImage } from "../../common/indicators/set_file.ts";
import type { IndicatorType } from "../../common/indicators/value.ts";
import { askListed, type BloomFilter, type Engine, NO_ASKS } from "../../wasm/engine/mod.ts";
import type { LoadedIndicators } from "./messages.ts";

/** What asking for values came to, since the lookup was made. */
export interface LookupCounters {
  /** Values that the filter did not deny. */
  readonly maybe: number;
  /** Of them, those that are listed and in force. */
  readonly confirmed: number;
}

/** Bloom filter first, exact set to confirm: one filter in one engine. */
export class IndicatorLookup {
  readonly #engine: Engine;
  #image: SetImage | undefined;
  #filter: BloomFilter | undefined;
  #asks = NO_ASKS;
  #maybe = 0;
  #confirmed = 0;

  /** @param engine The engine; its Bloom filter is that of the indicators. */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** What asking came to. */
  get counters(): LookupCounters {
    return { maybe: this.#maybe, confirmed: this.#confirmed };
  }

  /** Indicators in force, those that are over meanwhile included. */
  get size(): number {
    return this.#image?.size ?? 0;
  }

  /**
   * Takes indicators into force in place of those before: one copy of the filter.
   *
   * @param loaded The indicators.
   * @throws {ImmuneError} `INDICATORS_INVALID` when the filter is torn; those before stay.
   */
  use(loaded: LoadedIndicators): void {
    this.#filter = askListed(this.#engine, loaded.filter, loaded.asks);
    this.#image = new SetImage(loaded.set);
    this.#asks = loaded.asks;
  }

  /**
   * Those who list a value and are in force.
   *
   * @param type Type of the value.
   * @param key Its bytes, as `keyOf` gives them.
   * @param options `nowMs`: Unix time in milliseconds.
   */
  find(
    type: IndicatorType,
    key: Uint8Array,
    options: { readonly nowMs: number },
  ): readonly Indicator[] {
    const image = this.#image;
    if (image === undefined || this.#filter?.has(key) !== true) return [];
    this.#maybe++;
    const { from, to } = image.find(type, key);
    const found: Indicator[] = [];
    for (let i = from; i < to; i++) {
      if (!isExpired(image.timesAt(i), options.nowMs)) found.push(image.indicatorAt(i));
    }
    if (found.length > 0) this.#confirmed++;
    return found;
  }

  /**
   * Those who list an address, or a network that holds it.
   *
   * @param address 4 or 16 bytes, in network order.
   * @param options `nowMs`: Unix time in milliseconds.
   */
  findAddress(
    address: Uint8Array,
    options: { readonly nowMs: number },
  ): readonly Indicator[] {
    const isIpv4 = address.length === 4;
    const prefixes = isIpv4 ? this.#asks.ipv4Prefixes : this.#asks.ipv6Prefixes;
    return prefixes.flatMap((prefix) =>
      this.find(isIpv4 ? "ipv4" : "ipv6", networkKey({ address, prefix }), options)
    );
  }
}
