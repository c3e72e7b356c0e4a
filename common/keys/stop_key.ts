import { ImmuneError } from "../config/errors.ts";
import { newSeed, type SigningKey, signingKey } from "./ed25519.ts";
import { HOLDERS, joinShares, type Sharing, splitSecret, THRESHOLD } from "./shamir.ts";
import { readShare, SET_BYTES, type Share, shareHash, shareText } from "./share.ts";

/** What everybody may know of a stop key. */
export interface StopKeyFacts {
  readonly version: 1;
  /** Public half, 32 bytes in hexadecimal. */
  readonly publicKey: string;
  /** Which sharing this is, 8 hexadecimal digits. */
  readonly set: string;
  readonly holders: number;
  readonly threshold: number;
  /** SHA-256 of each holder's share, in the order of the holders. */
  readonly shareHashes: readonly string[];
}

/** A new stop key: what is published, and a text for each holder. */
export interface NewStopKey {
  readonly facts: StopKeyFacts;
  /** In the order of the holders; nobody but the holder is to keep it. */
  readonly shares: readonly string[];
}

/**
 * Makes a stop key that exists only as shares: its seed is wiped before this returns. Each share,
 * and the key from them, is read back and checked first.
 *
 * @param sharing Among how many. Default 3 of 5.
 * @throws {ImmuneError} `SHARE_INVALID` for numbers that do not hold.
 */
export async function makeStopKey(sharing: Sharing = {}): Promise<NewStopKey> {
  const { holders = HOLDERS, threshold = THRESHOLD } = sharing;
  const seed = newSeed();
  try {
    const values = await splitSecret(seed, { holders, threshold });
    const set = crypto.getRandomValues(new Uint8Array(SET_BYTES)).toHex();
    const shares = values.map((value, i): Share => ({
      holder: i + 1,
      holders,
      threshold,
      set,
      value: new Uint8Array(value),
    }));
    const { publicKey } = await signingKey(seed);
    const facts: StopKeyFacts = {
      version: 1,
      publicKey: publicKey.toHex(),
      set,
      holders,
      threshold,
      shareHashes: shares.map(shareHash),
    };
    const texts = shares.map(shareText);
    for (const each of [...values, ...shares.map(({ value }) => value)]) each.fill(0);
    await withStopKey(facts, { shares: texts.slice(-threshold), use: () => Promise.resolve() });
    return { facts, shares: texts };
  } finally {
    seed.fill(0);
  }
}

/**
 * Reads a share and holds it against what was published of it.
 *
 * @param facts What was published.
 * @param text The holder's text.
 * @returns The share.
 * @throws {ImmuneError} `SHARE_INVALID` that says what is wrong, without any part of the share.
 */
export function checkShare(facts: StopKeyFacts, text: string): Share {
  const share = readShare(text);
  if (share.set !== facts.set) {
    throw invalid(`Cannot use share of holder ${share.holder}: it belongs to another sharing`);
  }
  if (shareHash(share) !== facts.shareHashes[share.holder - 1]) {
    throw invalid(`Cannot use share of holder ${share.holder}: it is not the one that was given`);
  }
  return share;
}

/** What is done with a stop key. */
export interface StopKeyUse<T> {
  /** The holders' texts, as many as are needed. */
  readonly shares: readonly string[];
  readonly use: (key: SigningKey) => Promise<T>;
}

/**
 * Puts a stop key together, has it used and lets it go. Nothing is put together before every share
 * was held against its hash, and nothing is used before the key was held against its public half.
 *
 * @param facts What was published.
 * @param options Shares, and what to do with the key.
 * @returns What `use` gave.
 * @throws {ImmuneError} `SHARE_INVALID` for a share that does not hold or comes twice, too few of
 * them, and a key that is another.
 */
export async function withStopKey<T>(
  facts: StopKeyFacts,
  { shares: texts, use }: StopKeyUse<T>,
): Promise<T> {
  const shares = texts.map((text) => checkShare(facts, text));
  try {
    const holders = new Set(shares.map(({ holder }) => holder));
    if (holders.size !== shares.length) {
      throw invalid("Cannot put the stop key together: a holder's share comes twice");
    }
    if (shares.length < facts.threshold) {
      throw invalid(
        `Cannot put the stop key together: ${shares.length} shares of ${facts.threshold} are here`,
      );
    }
    return await use(await joined(facts, shares));
  } finally {
    for (const { value } of shares) value.fill(0);
  }
}

async function joined(facts: StopKeyFacts, shares: readonly Share[]): Promise<SigningKey> {
  const seed = await joinShares(shares.map(({ value }) => value));
  try {
    const key = await signingKey(seed);
    if (key.publicKey.toHex() === facts.publicKey) return key;
    throw invalid("Cannot use the stop key: the shares give another one than was published");
  } finally {
    seed.fill(0);
  }
}

function invalid(message: string): ImmuneError {
  return new ImmuneError("SHARE_INVALID", message);
}
