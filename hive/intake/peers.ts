import type { TLSSocket } from "node:tls";
import type { Clock } from "../../common/config/clock.ts";
import {
  type CertificateCheck,
  type CheckedCertificate,
  ClientCertificateChecker,
  type ClientTrust,
} from "../trust/client_certificate.ts";
import type { Refusal } from "./refusals.ts";

/** Bounds of {@linkcode Peers}. */
export interface PeersOptions {
  /** Whose clients are accepted. */
  readonly trust: ClientTrust;
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
  #checker: ClientCertificateChecker;
  readonly #options: PeersOptions;
  readonly #bySocket = new WeakMap<object, CheckedCertificate>();
  /** Open sockets by the fingerprint of their certificate. */
  readonly #open = new Map<string, Set<TLSSocket>>();

  /** @param options Authority and bounds. */
  constructor(options: PeersOptions) {
    this.#options = options;
    this.#checker = new ClientCertificateChecker(options.trust);
  }

  /** Fingerprints of the certificates of open sockets, each once. */
  get fingerprints(): readonly string[] {
    return [...this.#open.keys()];
  }

  /**
   * Open sockets of a certificate.
   *
   * @param fingerprint Of the certificate.
   */
  socketsOf(fingerprint: string): readonly TLSSocket[] {
    return [...this.#open.get(fingerprint) ?? []];
  }

  /**
   * Accepts others from now on.
   *
   * @param trust Whose clients are accepted.
   * @returns Open sockets that would not be taken any more.
   */
  accept(trust: ClientTrust): readonly TLSSocket[] {
    this.#checker = new ClientCertificateChecker(trust);
    return [...this.#open.values()].flatMap((sockets) => [...sockets])
      .filter((socket) => this.#check(socket)?.ok !== true);
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
    const check = socket.authorized ? this.#check(socket) : undefined;
    if (check === undefined) {
      return { reason: "no_certificate", why: "no certificate that TLS accepted" };
    }
    if (!check.ok) return { reason: "bad_certificate", why: check.why };
    const { fingerprint } = check.certificate;
    const open = this.#open.get(fingerprint) ?? new Set();
    if (open.size >= this.#options.perCertificateMax) {
      return {
        reason: "connections",
        why: `${open.size} connections of this certificate are open`,
      };
    }
    this.#open.set(fingerprint, open.add(socket));
    this.#bySocket.set(socket, check.certificate);
    socket.once("close", () => {
      open.delete(socket);
      if (open.size === 0 && this.#open.get(fingerprint) === open) this.#open.delete(fingerprint);
    });
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

  #check(socket: TLSSocket): CertificateCheck | undefined {
    const shown: { readonly raw?: Uint8Array } | null = socket.getPeerCertificate();
    if (shown?.raw === undefined) return undefined;
    return this.#checker.check(shown.raw, this.#options.clock.nowMs());
  }
}
