import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { ImmuneError } from "../../common/config/errors.ts";

/** Fewest characters of a password (NIST SP 800-63B-4 asks for 15 where it stands alone). */
export const PASSWORD_CHARACTERS_MIN = 15;
/** Most characters of a password. */
export const PASSWORD_CHARACTERS_MAX = 256;
/** Passwords that are hashed at a time; each takes 32 MiB. */
export const HASHES_AT_ONCE_MAX = 2;
/** Most that wait for it. */
export const HASHES_WAITING_MAX = 16;

/** What a hash costs: log2 of N, block size r and parallelism p (RFC 7914). */
export interface PasswordCost {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

/** OWASP's smallest of 32 MiB. */
const COST: PasswordCost = { ln: 15, r: 8, p: 3 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w+/]{22})\$([\w+/]{43})$/;

/**
 * Refuses a password that is easily guessed.
 *
 * @param password The password.
 * @param name Name of the account, which it may not contain.
 * @throws {ImmuneError} `INPUT_MALFORMED`, with what to do.
 */
export function checkPassword(password: string, name: string): void {
  const refuse = (why: string): never => {
    throw new ImmuneError("INPUT_MALFORMED", `Cannot take this password: ${why}`);
  };
  const { length } = [...password];
  if (length < PASSWORD_CHARACTERS_MIN) {
    refuse(`it has ${length} characters; use at least ${PASSWORD_CHARACTERS_MIN}, such as 4 words`);
  }
  if (length > PASSWORD_CHARACTERS_MAX) refuse(`it has over ${PASSWORD_CHARACTERS_MAX} characters`);
  if (/[\p{Cc}\p{Cs}\uFFFD]/u.test(password)) refuse("it has characters that are no text");
  if (new Set(password).size < 5) refuse("it repeats a few characters; use several words");
  if (password.toLowerCase().includes(name.toLowerCase())) refuse("it contains the account's name");
}

/** Hashes passwords with scrypt, a few at a time. */
export class PasswordHasher {
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #cost: PasswordCost;
  /** A hash that no password has, so that an unknown name takes as long as a known one. */
  readonly #nobody: string;
  /** Passwords that found no room to wait. */
  refused = 0;

  /** @param cost What a new hash costs. Default: 32 MiB and about a tenth of a second. */
  constructor(cost: PasswordCost = COST) {
    this.#cost = cost;
    this.#nobody = `${formOf(cost)}$${"A".repeat(22)}$${"A".repeat(43)}`;
  }

  /**
   * Hashes a password.
   *
   * @param password The password.
   * @returns What is kept of it, with salt and cost (PHC string format).
   * @throws {ImmuneError} `RATE_LIMITED` when too many wait.
   */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const hash = await this.#derive(password, salt, { cost: this.#cost });
    return `${formOf(this.#cost)}$${plain(salt)}$${plain(hash)}`;
  }

  /**
   * Checks a password. Takes its time also where there is none to compare with. One with a NUL is
   * wrong: HMAC (RFC 2104), which scrypt is made of, fills short keys up with zeros, so that the
   * right one and a NUL behind it have the same hash.
   *
   * @param password What someone says it is.
   * @param kept As `hash` gave it; `undefined` = there is none.
   * @throws {ImmuneError} `RATE_LIMITED` when too many wait.
   */
  async verify(password: string, kept: string | undefined): Promise<boolean> {
    const [, ln, r, p, salt = "", hash = ""] = FORM.exec(kept ?? "") ?? FORM.exec(this.#nobody) ??
      [];
    const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
    const made = await this.#derive(password, Uint8Array.fromBase64(salt), { cost });
    const isSame = timingSafeEqual(made, Uint8Array.fromBase64(hash));
    return isSame && kept !== undefined && !password.includes("\0");
  }

  async #derive(
    password: string,
    salt: Uint8Array,
    { cost }: { readonly cost: PasswordCost },
  ): Promise<Uint8Array> {
    await this.#enter();
    try {
      return await derive(password.normalize("NFC"), salt, { cost });
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running >= HASHES_AT_ONCE_MAX) {
      if (this.#waiting.length >= HASHES_WAITING_MAX) {
        this.refused++;
        throw new ImmuneError("RATE_LIMITED", "Cannot check a password: too many wait; try again");
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running++;
  }
}

function derive(
  password: string,
  salt: Uint8Array,
  { cost: { ln, r, p } }: { readonly cost: PasswordCost },
): Promise<Uint8Array> {
  const N = 2 ** ln;
  return new Promise((resolve, reject) =>
    scrypt(password, salt, HASH_BYTES, { N, r, p, maxmem: 160 * N * r }, (error, key) => {
      if (error === null) resolve(new Uint8Array(key));
      else reject(error);
    })
  );
}

function formOf({ ln, r, p }: PasswordCost): string {
  return `$scrypt$ln=${ln},r=${r},p=${p}`;
}

function plain(bytes: Uint8Array): string {
  return new Uint8Array(bytes).toBase64({ omitPadding: true });
}
