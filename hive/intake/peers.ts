import type { TLSSocket } from "node:tls";
import type { Clock } from "../../common/config/clock.ts";
import { type CheckedCertificate, ClientCertificateChecker } from "../trust/client_certificate.ts";
import type { Refusal } from "./refusals.ts";

/** Bounds of {@linkcode Peers}. */
export interface PeersOptions {
  /** Certificate (PEM) of the only authority that counts. */
  readonly authorityPem: string;
  /** Connections that show the same certificate at a time. */
  readonly perCertificateMax: number;
  readonly clock: Clock;
}

/** Why a socket is not taken. */
export interface PeerRefusal {
  readonly reason: Refusal;
  readonly why: string;
}

/** The certificates of open sockets, each checked by this program and not by TLS alone. */
export class Peers {
  readonly #checker: ClientCertificateChecker;
  readonly #options: PeersOptions;
  readonly #bySocket = new WeakMap<object, CheckedCertificate>();
  readonly #open = new Map<string, number>();

  /** @param options Authority and bounds. */
  constructor(options: PeersOptions) {
    this.#options = options;
    this.#checker = new ClientCertificateChecker(options.authorityPem);
  }

  /**
   * Takes a socket whose handshake is done, or says why not. It is forgotten when it closes.
   *
   * @param socket The socket.
   * @returns Why it is to be destroyed, or `undefined` when it was taken.
   */
  admit(socket: TLSSocket): PeerRefusal | undefined {
    // A resumed session shows the certificate of another time: nothing about it was checked now.
    if (socket.isSessionReused()) return { reason: "resumed", why: "a resumed session" };
    if (socket.getProtocol() !== "TLSv1.3") {
      return { reason: "tls_version", why: `protocol ${socket.getProtocol()}` };
    }
    const shown: { readonly raw?: Uint8Array } | null = socket.getPeerCertificate();
    if (!socket.authorized || shown?.raw === undefined) {
      return { reason: "no_certificate", why: "no certificate that TLS accepted" };
    }
    const check = this.#checker.check(shown.raw, this.#options.clock.nowMs());
    if (!check.ok) return { reason: "bad_certificate", why: check.why };
    const { fingerprint } = check.certificate;
    const open = this.#open.get(fingerprint) ?? 0;
    if (open >= this.#options.perCertificateMax) {
      return { reason: "connections", why: `${open} connections of this certificate are open` };
    }
    this.#open.set(fingerprint, open + 1);
    this.#bySocket.set(socket, check.certificate);
    socket.once("close", () => this.#forget(fingerprint));
    return undefined;
  }

  /**
   * The certificate of a socket.
   *
   * @param socket A socket.
   * @returns Its certificate, `undefined` when it was never taken.
   */
  of(socket: object): CheckedCertificate | undefined {
    return this.#bySocket.get(socket);
  }

  #forget(fingerprint: string): void {
    const open = (this.#open.get(fingerprint) ?? 1) - 1;
    if (open === 0) this.#open.delete(fingerprint);
    else this.#open.set(fingerprint, open);
  }
}
