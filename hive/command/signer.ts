import type { Clock } from "../../common/config/clock.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import {
  DIRECTIVE_KINDS,
  directiveBytes,
  type DirectiveStream,
  EVERY_HOST,
  sealDirective,
} from "../../common/wire/mod.ts";
import type { DirectiveKeyFile } from "./key_file.ts";
import type { UnsignedDirective } from "./messages.ts";

/** How long a canary says that it holds, in milliseconds. Agents go by their nonce. */
export const CANARY_VALIDITY_MS = 48 * 3600 * 1000;

/** Signs what belongs to this fleet and to the closed set, each number once. */
export class Signer {
  readonly #file: DirectiveKeyFile;
  readonly #fleet: string;
  readonly #clock: Clock;
  readonly #last: Record<Exclude<DirectiveStream, "stop">, number> = { directive: 0, canary: 0 };

  /**
   * @param file The key.
   * @param options `fleet`: the only one that it signs for; `clock`.
   */
  constructor(
    file: DirectiveKeyFile,
    { fleet, clock }: { readonly fleet: string; readonly clock: Clock },
  ) {
    this.#file = file;
    this.#fleet = fleet;
    this.#clock = clock;
  }

  /** Public half of the key in force. */
  get publicKey(): Uint8Array<ArrayBuffer> {
    return this.#file.key.publicKey;
  }

  /**
   * Signs a directive.
   *
   * @param directive Its number is over all that were signed before in its stream.
   * @returns It as it goes to agents.
   * @throws {ImmuneError} `DIRECTIVE_INVALID` for another fleet, a stop, a number that was signed
   * already, or a body that does not hold.
   */
  sign(directive: UnsignedDirective): Promise<Uint8Array<ArrayBuffer>> {
    const { kind, fleet, number } = directive;
    const { stream } = DIRECTIVE_KINDS[kind];
    if (stream === "stop") return refuse("a stop is signed by the holders of the stop key");
    if (fleet !== this.#fleet) return refuse(`fleet "${fleet}" is another one`);
    if (!(number > this.#last[stream])) return refuse(`number ${number} was signed already`);
    this.#last[stream] = number;
    return this.#seal(directive);
  }

  /**
   * Signs a canary of the newest number for an agent that asks.
   *
   * @param nonce What it asks with, 32 hexadecimal digits.
   * @throws {ImmuneError} `DIRECTIVE_INVALID` before there is a number, or for no nonce.
   */
  canary(nonce: string): Promise<Uint8Array<ArrayBuffer>> {
    const number = this.#last.canary;
    if (number === 0) return refuse("no canary has a number yet");
    const issuedMs = this.#clock.nowMs();
    return this.#seal({
      kind: "canary",
      body: { nonce },
      fleet: this.#fleet,
      target: EVERY_HOST,
      number,
      issuedMs,
      expiresMs: issuedMs + CANARY_VALIDITY_MS,
    });
  }

  /** Public half of the key that is to follow. */
  async successor(): Promise<Uint8Array<ArrayBuffer>> {
    return (await this.#file.successor()).publicKey;
  }

  /**
   * Puts it in force.
   *
   * @returns Its public half.
   */
  async succeed(): Promise<Uint8Array<ArrayBuffer>> {
    await this.#file.succeed();
    return this.publicKey;
  }

  async #seal(directive: UnsignedDirective): Promise<Uint8Array<ArrayBuffer>> {
    const { stream } = DIRECTIVE_KINDS[directive.kind];
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = directiveBytes(directive);
    } catch (error) {
      return refuse(error instanceof Error ? error.message : String(error));
    }
    return sealDirective(bytes, await this.#file.key.sign(stream, bytes));
  }
}

function refuse(why: string): Promise<never> {
  return Promise.reject(new ImmuneError("DIRECTIVE_INVALID", `Cannot sign directive: ${why}`));
}
