import { createHmac, timingSafeEqual } from "node:crypto";
import { type Clock, ImmuneError } from "../../common/config/mod.ts";
import { DIFFICULTY_MAX, DIFFICULTY_MIN, provesWork } from "../../common/keys/proof_of_work.ts";

/** How long a challenge can be solved, in milliseconds. */
export const CHALLENGE_MS = 300_000;
/** Most solved challenges that are remembered, so that none is used twice. */
export const CHALLENGES_USED_MAX = 65_536;
/** Challenges a minute up to which the least work is asked for; it doubles with their number. */
export const CHALLENGES_PER_MINUTE = 32;
const MINUTE_MS = 60_000;

const MAC_BYTES = 32;
/** Parts of a challenge: difficulty (u8), end (u64, Unix time in milliseconds), nonce, MAC. */
const AT = { difficulty: 0, expiresMs: 1, nonce: 9, mac: 25 } as const;
const CHALLENGE_BYTES = AT.mac + MAC_BYTES;

/** Whom a challenge is for. */
export interface ChallengeFor {
  /** SHA-256 of the public key (SPKI), 64 lower-case hexadecimal digits. */
  readonly keyHash: string;
  /** SHA-256 of the token's secret, 64 lower-case hexadecimal digits. */
  readonly tokenHash: string;
}

/** A challenge that was given out. */
export interface Challenge {
  /** Base64url; what is in it is the hive's business. */
  readonly challenge: string;
  /** Leading zero bits that its proof needs. */
  readonly difficulty: number;
  /** Unix time in milliseconds. */
  readonly expiresMs: number;
}

/** What comes back. */
export interface SolvedChallenge extends ChallengeFor {
  readonly challenge: string;
  /** Base64url of 8 bytes. */
  readonly solution: string;
}

/**
 * Gives out challenges and checks what comes back. Nothing is kept of one that was given out: a MAC
 * binds it to key, token, difficulty and time. Only solved ones are remembered, until they expire,
 * so that filling this memory costs the work.
 */
export class Challenges {
  readonly #clock: Clock;
  readonly #key = crypto.getRandomValues(new Uint8Array(32));
  readonly #difficultyMin: number;
  /** Nonces of solved challenges, with their end, in the order of their use. */
  readonly #used = new Map<string, number>();
  #minute = 0;
  #inMinute = 0;
  #inMinuteBefore = 0;

  /** @param options Clock; `difficultyMin`: the least work in bits, default 16. */
  constructor(options: { readonly clock: Clock; readonly difficultyMin?: number }) {
    this.#clock = options.clock;
    this.#difficultyMin = options.difficultyMin ?? DIFFICULTY_MIN;
  }

  /**
   * Makes a challenge. The more were asked for in the last minutes, the harder it is.
   *
   * @param whom Whose key and token it is bound to.
   */
  issue(whom: ChallengeFor): Challenge {
    const nowMs = this.#clock.nowMs();
    const difficulty = this.#difficulty();
    const expiresMs = nowMs + CHALLENGE_MS;
    const bytes = new Uint8Array(CHALLENGE_BYTES);
    bytes[AT.difficulty] = difficulty;
    new DataView(bytes.buffer).setBigUint64(AT.expiresMs, BigInt(expiresMs));
    crypto.getRandomValues(bytes.subarray(AT.nonce, AT.mac));
    bytes.set(this.#mac(bytes, whom), AT.mac);
    const challenge = bytes.toBase64({ alphabet: "base64url", omitPadding: true });
    return { challenge, difficulty, expiresMs };
  }

  /**
   * Takes a solved challenge, once.
   *
   * @param solved Challenge, solution, and who brings it.
   * @throws {ImmuneError} `CHALLENGE_INVALID` when it is not ours, another's, expired, used or not
   * solved; `RATE_LIMITED` over the bound of those that are remembered.
   */
  take(solved: SolvedChallenge): void {
    const bytes = decoded(solved.challenge, CHALLENGE_BYTES);
    const solution = decoded(solved.solution, 8);
    if (bytes === undefined || solution === undefined) throw invalid("it is none of this hive");
    if (!timingSafeEqual(bytes.subarray(AT.mac), this.#mac(bytes, solved))) {
      throw invalid("it is not this hive's, or for another key or token");
    }
    const expiresMs = Number(new DataView(bytes.buffer).getBigUint64(AT.expiresMs));
    const nowMs = this.#clock.nowMs();
    if (expiresMs <= nowMs) throw invalid("it has expired");
    const difficulty = bytes[AT.difficulty] ?? 0;
    if (!provesWork(bytes, { solution, difficulty })) throw invalid("its proof does not hold");
    this.#remember(bytes.subarray(AT.nonce, AT.mac).toHex(), { nowMs, expiresMs });
  }

  #remember(
    nonce: string,
    { nowMs, expiresMs }: { readonly nowMs: number; readonly expiresMs: number },
  ): void {
    if (this.#used.has(nonce)) throw invalid("it was used before");
    // Those used first need not expire first; by a lifetime after its use each one has.
    for (const [old, endsMs] of this.#used) {
      if (endsMs > nowMs) break;
      this.#used.delete(old);
    }
    if (this.#used.size >= CHALLENGES_USED_MAX) {
      throw new ImmuneError("RATE_LIMITED", "Cannot take more enrolments now; come again");
    }
    this.#used.set(nonce, expiresMs);
  }

  /** Counts by the minute, the last one by the share of it that is within 60 s. */
  #difficulty(): number {
    const nowMs = this.#clock.monotonicMs();
    const minute = Math.floor(nowMs / MINUTE_MS);
    if (minute !== this.#minute) {
      this.#inMinuteBefore = minute === this.#minute + 1 ? this.#inMinute : 0;
      this.#inMinute = 0;
      this.#minute = minute;
    }
    const share = 1 - (nowMs % MINUTE_MS) / MINUTE_MS;
    const rate = this.#inMinute++ + this.#inMinuteBefore * share;
    const harder = Math.floor(Math.log2(Math.max(1, rate / CHALLENGES_PER_MINUTE)));
    return Math.min(DIFFICULTY_MAX, this.#difficultyMin + harder);
  }

  #mac(bytes: Uint8Array, { keyHash, tokenHash }: ChallengeFor): Uint8Array {
    return createHmac("sha256", this.#key).update(bytes.subarray(0, AT.mac))
      .update(`${keyHash}\n${tokenHash}`).digest();
  }
}

function decoded(text: string, length: number): Uint8Array<ArrayBuffer> | undefined {
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    return bytes.length === length ? bytes : undefined;
  } catch {
    return undefined;
  }
}

function invalid(why: string): ImmuneError {
  return new ImmuneError(
    "CHALLENGE_INVALID",
    `Cannot take the challenge: ${why}; ask for a new one and solve it within ` +
      `${CHALLENGE_MS / 1000} s`,
  );
}
