import { BloomFilter } from "./bloom.ts";
import type { Engine } from "./engine.ts";

/** Stands for a rule in the hit of a record of which a value may be listed. */
export const RULE_LISTED = 0xFFFF_FFFF;

/** Words of bits that the prefixes of IPv6 networks take. */
const IPV6_WORDS = 4;
const WORD_BITS = 32;
const ASK = { paths: 1, names: 2, domains: 4, below: 8, sha256: 16 } as const;

/** What a filter holds, and so what it is asked for. */
export interface ListedAsks {
  /** Absolute paths. */
  readonly paths: boolean;
  /** Names of files, whatever their folder. */
  readonly names: boolean;
  /** Domains. */
  readonly domains: boolean;
  /** `*.` and a domain: all below it. */
  readonly below: boolean;
  /** Hashes of programs and watched files. */
  readonly sha256: boolean;
  /** Lengths of the prefixes of networks, 32 for an address alone. */
  readonly ipv4Prefixes: readonly number[];
  /** The same, 128 for an address alone. */
  readonly ipv6Prefixes: readonly number[];
}

/** Asks for nothing. */
export const NO_ASKS: ListedAsks = {
  paths: false,
  names: false,
  domains: false,
  below: false,
  sha256: false,
  ipv4Prefixes: [],
  ipv6Prefixes: [],
};

/**
 * Puts a filter of listed values in force, for the next scan: a record gets one hit with
 * {@linkcode RULE_LISTED} when the filter does not deny its image, the file that it opens, the
 * address that it connects to or is connected from, or the domain that it asks a DNS server for. Keys are those of `keyOf` in common/indicators.
 *
 * @param engine The engine; its one Bloom filter is this one from then on.
 * @param saved What `BloomFilter.save` gave.
 * @param options What the filter holds.
 * @returns The filter.
 * @throws {ImmuneError} `INDICATORS_INVALID` when it is torn; what was in force stays.
 */
export function askListed(
  engine: Engine,
  saved: Uint8Array,
  options: ListedAsks,
): BloomFilter {
  const what = (options.paths ? ASK.paths : 0) | (options.names ? ASK.names : 0) |
    (options.domains ? ASK.domains : 0) | (options.below ? ASK.below : 0) |
    (options.sha256 ? ASK.sha256 : 0);
  const [a = 0, b = 0, c = 0, d = 0] = wordsOf(options.ipv6Prefixes, IPV6_WORDS);
  const [ipv4 = 0] = wordsOf(options.ipv4Prefixes, 1);
  const filter = BloomFilter.load(engine, saved);
  engine.core.exports.listed_ask(what, ipv4, a, b, c, d);
  return filter;
}

/** Bit n - 1 for a prefix of n bits. */
function wordsOf(prefixes: readonly number[], words: number): readonly number[] {
  const bits = new Uint32Array(words);
  for (const prefix of prefixes) {
    if (!Number.isInteger(prefix) || prefix < 1 || prefix > words * WORD_BITS) {
      throw new RangeError(`Cannot ask for networks with a prefix of "${prefix}" bits`);
    }
    const word = Math.floor((prefix - 1) / WORD_BITS);
    bits[word] = (bits[word] ?? 0) | (1 << ((prefix - 1) % WORD_BITS));
  }
  return [...bits];
}
