import { ImmuneError } from "../../common/config/errors.ts";
import type { SignAnswer, SignRequest, UnsignedDirective } from "./messages.ts";

/** Most requests of one client that the signer works on at once; more are turned away. */
export const SIGN_REQUESTS_MAX = 1024;

type Unnumbered<T> = T extends unknown ? Omit<T, "id"> : never;

/** A signer in another thread, asked through a port. */
export class SignerClient {
  readonly #port: MessagePort;
  readonly #open = new Map<number, PromiseWithResolvers<Uint8Array<ArrayBuffer>>>();
  #nextId = 1;

  /** @param port As `SignerWorker.connect` gives it; nobody else uses it. */
  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<SignAnswer>) => this.#settle(data);
  }

  /** As `Signer.sign`. */
  sign(directive: UnsignedDirective): Promise<Uint8Array<ArrayBuffer>> {
    return this.#ask({ type: "sign", directive });
  }

  /** As `Signer.canary`; `RATE_LIMITED` when too many wait. */
  canary(nonce: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.#ask({ type: "canary", nonce });
  }

  /** As `Signer.successor`. */
  successor(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#ask({ type: "successor" });
  }

  /** As `Signer.succeed`. */
  succeed(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#ask({ type: "succeed" });
  }

  /** Ends this client. */
  close(): void {
    this.#port.close();
    const error = new ImmuneError("INTERNAL", "Cannot sign: the signer is closed");
    for (const { reject } of this.#open.values()) reject(error);
    this.#open.clear();
  }

  #ask(request: Unnumbered<SignRequest>): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#open.size >= SIGN_REQUESTS_MAX) {
      const message = `Cannot sign: ${SIGN_REQUESTS_MAX} requests wait already; try again`;
      return Promise.reject(new ImmuneError("RATE_LIMITED", message));
    }
    const id = this.#nextId++;
    const open = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
    this.#open.set(id, open);
    this.#port.postMessage({ ...request, id });
    return open.promise;
  }

  #settle(answer: SignAnswer): void {
    const open = this.#open.get(answer.id);
    this.#open.delete(answer.id);
    if ("bytes" in answer) open?.resolve(answer.bytes);
    else open?.reject(new ImmuneError(answer.error.code, answer.error.message));
  }
}
