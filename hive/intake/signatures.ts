import { ImmuneError } from "../../common/config/errors.ts";
import { RENEWALS_AT_ONCE_MAX } from "./bounds.ts";
import type { RenewOutcome } from "./messages.ts";
import type { Renewal } from "./renewal.ts";

/** Certificates that another thread is asked to sign. */
export class Signatures {
  readonly #send: (id: number, renewal: Renewal) => void;
  readonly #open = new Map<number, PromiseWithResolvers<{ readonly certificate: string }>>();
  #nextId = 1;

  /** @param send Sends a question; `settle` is called with its answer. */
  constructor(send: (id: number, renewal: Renewal) => void) {
    this.#send = send;
  }

  /**
   * Asks for one.
   *
   * @param renewal What to sign.
   * @returns The certificate.
   * @throws {ImmuneError} `RATE_LIMITED` over the bound, or what the other thread says.
   */
  ask(renewal: Renewal): Promise<{ readonly certificate: string }> {
    if (this.#open.size >= RENEWALS_AT_ONCE_MAX) {
      const message =
        `Cannot sign more than ${RENEWALS_AT_ONCE_MAX} certificates at once; ask again`;
      return Promise.reject(new ImmuneError("RATE_LIMITED", message));
    }
    const id = this.#nextId++;
    const answer = Promise.withResolvers<{ readonly certificate: string }>();
    this.#open.set(id, answer);
    this.#send(id, renewal);
    return answer.promise;
  }

  /**
   * Takes an answer.
   *
   * @param id Number of the question.
   * @param outcome What came of it.
   */
  settle(id: number, outcome: RenewOutcome): void {
    const open = this.#open.get(id);
    this.#open.delete(id);
    if ("certificate" in outcome) open?.resolve(outcome);
    else open?.reject(new ImmuneError(outcome.code, outcome.message));
  }
}
