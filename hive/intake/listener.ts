import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type Clock, ImmuneError, SYSTEM_CLOCK } from "../../common/config/mod.ts";
import type { HerdSaid } from "../herd/word_trail.ts";
import { createIntake, type IntakeApp, type IntakeStore, type IntakeTotals } from "./app.ts";
import {
  CONNECTIONS_MAX,
  CONNECTIONS_PER_CERTIFICATE_MAX,
  HANDSHAKE_TIMEOUT_MS,
  HEADER_BYTES_MAX,
  HEADERS_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  REQUEST_TIMEOUT_MS,
  REVOCATION_CHECK_MS,
  STOP_TIMEOUT_MS,
  TIMEOUT_CHECK_MS,
} from "./bounds.ts";
import type { DownlinkCounters, Published } from "./downlinks.ts";
import { serveExchange } from "./exchange.ts";
import { Gate, type GateOptions } from "./gate.ts";
import { tlsSocketSource } from "./identity.ts";
import type { OrderSource } from "./order_routes.ts";
import { type PeerRefusal, Peers } from "./peers.ts";
import { handshakeRefusal } from "./handshake.ts";
import { type RefusalCounts, Refusals } from "./refusals.ts";
import type { Renew } from "./renewal.ts";
import type { IntakeTrust } from "./trust.ts";

/** Bounds of a listener that can be set; each has the default that its name says in bounds.ts. */
export interface ListenerLimits extends GateOptions {
  readonly connectionsMax?: number;
  readonly connectionsPerCertificateMax?: number;
  readonly handshakeTimeoutMs?: number;
  readonly headersTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly timeoutCheckMs?: number;
  readonly stopTimeoutMs?: number;
  readonly revocationCheckMs?: number;
}

/** What a listener needs to be told; all of it can be sent to a Worker. */
export interface ListenerSettings {
  readonly hostname: string;
  /** 0 = any free one. */
  readonly port: number;
  /** What it shows and whom it accepts. */
  readonly trust: IntakeTrust;
  readonly limits?: ListenerLimits;
}

/** What a listener works with. */
export interface ListenerParts {
  readonly store: IntakeStore;
  /** Where orders come from. Absent: this port gives none. */
  readonly orders?: OrderSource;
  /** Signs agents' next certificates. Default: none is signed. */
  readonly renew?: Renew;
  /** Takes a line for the log. Default: none. */
  readonly onLine?: (line: string) => void;
  /** Told of each word for the herd that was heard. Default: nobody. */
  readonly onSaid?: (said: HerdSaid) => void;
  /** Default: the host's. */
  readonly clock?: Clock;
}

/** All that the agents' port counts. */
export interface IntakeCounters extends IntakeTotals, DownlinkCounters {
  readonly refused: RefusalCounts;
  /** Connections open now. */
  readonly connections: number;
}

/** The agents' port: mutual TLS 1.3 and the agents' app. */
export class IntakeListener {
  readonly #server: Server;
  readonly #intake: IntakeApp;
  readonly #peers: Peers;
  readonly #refusals: Refusals;
  readonly #addresses = new WeakMap<object, string>();
  /** Sockets with a request under way, and its answer. */
  readonly #serving = new WeakMap<object, ServerResponse>();
  readonly #connectionsMax: number;
  readonly #stopTimeoutMs: number;
  #trust: IntakeTrust;
  readonly #store: ListenerParts["store"];
  readonly #sweeping: ReturnType<typeof setInterval>;
  #swept = true;
  #stopping = false;
  /** Sockets that are open, with the TLS socket on them once its handshake is done. */
  readonly #open = new Map<Socket, TLSSocket | undefined>();

  private constructor(settings: ListenerSettings, parts: ListenerParts) {
    const { limits = {} } = settings;
    const { clock = SYSTEM_CLOCK } = parts;
    this.#refusals = new Refusals(parts.onLine === undefined ? {} : { onLine: parts.onLine });
    this.#connectionsMax = limits.connectionsMax ?? CONNECTIONS_MAX;
    this.#stopTimeoutMs = limits.stopTimeoutMs ?? STOP_TIMEOUT_MS;
    this.#trust = settings.trust;
    this.#store = parts.store;
    this.#peers = new Peers({
      trust: settings.trust.clients,
      perCertificateMax: limits.connectionsPerCertificateMax ?? CONNECTIONS_PER_CERTIFICATE_MAX,
      clock,
    });
    this.#intake = createIntake({
      store: parts.store,
      source: tlsSocketSource,
      pins: () => this.#trust,
      ...(parts.renew === undefined ? {} : { renew: parts.renew }),
      refusals: this.#refusals,
      gate: new Gate(limits),
      orders: parts.orders,
      onSaid: parts.onSaid,
      clock,
    });
    this.#server = createServer(
      serverOptions(settings),
      (incoming, outgoing) => void this.#serve(incoming, outgoing),
    );
    this.#server.on("connection", (socket: Socket) => this.#connected(socket));
    this.#server.on("secureConnection", (socket: TLSSocket) => this.#secured(socket));
    this.#server.on(
      "tlsClientError",
      (error: Error, socket: TLSSocket) => this.#handshakeFailed(error, socket),
    );
    this.#server.on(
      "clientError",
      (error: Error, socket: Socket) => this.#requestFailed(error, socket),
    );
    this.#sweeping = setInterval(
      () => void this.#sweep(),
      limits.revocationCheckMs ?? REVOCATION_CHECK_MS,
    );
  }

  /**
   * Opens the agents' port.
   *
   * @param settings Address, certificates and bounds.
   * @param parts Store, log and clock.
   * @returns The listener, once it listens.
   * @throws {ImmuneError} `PORT_IN_USE` or `LISTEN_REFUSED` when the address cannot be had.
   */
  static async listen(settings: ListenerSettings, parts: ListenerParts): Promise<IntakeListener> {
    const listener = new IntakeListener(settings, parts);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    listener.#server.once("error", (error) => reject(cannotListen(error, settings)));
    listener.#server.listen(settings.port, settings.hostname, resolve);
    await promise;
    return listener;
  }

  /** The port that it listens on. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /**
   * Sends a directive to those who are connected.
   *
   * @param published The directive, which the store has already.
   */
  publish(published: Published): void {
    this.#intake.downlinks.publish(published);
  }

  /**
   * Shows another certificate and accepts others from now on. Connections whose certificate is not
   * accepted any more are cut off; the others go on.
   *
   * @param trust What counts from now on.
   */
  setTrust(trust: IntakeTrust): void {
    this.#trust = trust;
    this.#server.setSecureContext(secureContext(trust));
    for (const socket of this.#peers.accept(trust.clients)) {
      this.#cut(socket, { reason: "bad_certificate", why: "its authority is accepted no more" });
    }
  }

  /** All counters. */
  counters(): IntakeCounters {
    return {
      ...this.#intake.totals(),
      ...this.#intake.downlinks.counters(),
      refused: this.#refusals.counts(),
      connections: this.#open.size,
    };
  }

  /** Stops: no new connection, requests under way are finished for a while, the rest is cut off. */
  async close(): Promise<void> {
    this.#stopping = true;
    this.#intake.downlinks.stop();
    clearInterval(this.#sweeping);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#cutOff((socket) => !this.#serving.has(socket));
    const timer = setTimeout(() => this.#cutOff(() => true), this.#stopTimeoutMs);
    await promise;
    clearTimeout(timer);
  }

  /** Ends open connections; the TLS socket too, which does not hear that the one beneath ended. */
  #cutOff(which: (socket: Socket) => boolean): void {
    for (const [socket, secured] of this.#open) {
      if (!which(secured ?? socket)) continue;
      secured?.destroy();
      socket.destroy();
    }
  }

  /** Ends connections whose certificate was revoked, or followed by another, since they began. */
  async #sweep(): Promise<void> {
    const open = this.#peers.fingerprints;
    if (open.length === 0 || !this.#swept) return;
    this.#swept = false;
    try {
      for (const fingerprint of await this.#store.refusedCertificates(open)) {
        for (const socket of this.#peers.socketsOf(fingerprint)) {
          this.#cut(socket, { reason: "revoked", why: "revoked while connected" });
        }
      }
    } catch (error) {
      // The next look is a second away, and each request is looked up for itself.
      this.#refusals.add("store", `a look for revoked certificates (${String(error)})`);
    } finally {
      this.#swept = true;
    }
  }

  #cut(socket: TLSSocket, { reason, why }: PeerRefusal): void {
    this.#refusals.add(reason, `${this.#from(socket)} (${why})`);
    const parent = parentOf(socket);
    socket.destroy();
    parent?.destroy();
  }

  #connected(socket: Socket): void {
    this.#addresses.set(socket, `${socket.remoteAddress}:${socket.remotePort}`);
    this.#open.set(socket, undefined);
    socket.once("close", () => this.#open.delete(socket));
    if (this.#open.size <= this.#connectionsMax) return;
    this.#refusals.add("connections", this.#from(socket));
    this.#addresses.delete(socket);
    socket.destroy();
  }

  #secured(socket: TLSSocket): void {
    const parent = parentOf(socket);
    if (parent !== undefined && this.#open.has(parent)) this.#open.set(parent, socket);
    const refusal = this.#peers.admit(socket);
    if (refusal === undefined) return;
    this.#refusals.add(refusal.reason, `${this.#from(socket)} (${refusal.why})`);
    socket.destroy();
  }

  #handshakeFailed(error: Error, socket: TLSSocket): void {
    const parent = parentOf(socket);
    // One over the bound was counted when it came.
    if (parent !== undefined && !this.#addresses.has(parent)) return;
    const reason = handshakeRefusal(error, { bytesRead: parent?.bytesRead ?? 0 });
    this.#refusals.add(reason, `${this.#from(socket)} (${error.message})`);
    socket.destroy();
  }

  /** Also raised for a handshake, and for a body that is being read: those are counted there. */
  #requestFailed(error: Error, socket: Socket): void {
    if (this.#peers.of(socket) !== undefined && !this.#serving.has(socket)) {
      this.#refusals.add("request", `${this.#from(socket)} (${error.message})`);
    }
    socket.destroy();
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const peer = this.#peers.of(incoming.socket);
    // A socket that was not taken is being destroyed: it gets no answer.
    if (peer === undefined) return void incoming.socket.destroy();
    // A client of ours waits for its answer: who does not could have many batches read at once.
    if (this.#serving.get(incoming.socket)?.writableEnded === false) {
      this.#refusals.add("request", `${this.#from(incoming.socket)} (pipelined)`);
      return void incoming.socket.destroy();
    }
    this.#serving.set(incoming.socket, outgoing);
    try {
      await serveExchange(incoming, outgoing, {
        fetch: (request, bindings) => this.#intake.app.fetch(request, bindings),
        bindings: { peer, from: this.#from(incoming.socket) },
        isLast: () => this.#stopping,
      });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#refusals.add("request", `${this.#from(incoming.socket)} (${why})`);
      incoming.socket.destroy();
    } finally {
      if (this.#serving.get(incoming.socket) === outgoing) this.#serving.delete(incoming.socket);
    }
  }

  #from(socket: Socket): string {
    const parent = parentOf(socket);
    return this.#addresses.get(parent ?? socket) ?? "a closed connection";
  }
}

/** The socket that a TLS socket runs on: only that one still knows where it came from. */
function parentOf(socket: Socket): Socket | undefined {
  const parent = (socket as { readonly _parent?: unknown })._parent;
  return typeof parent === "object" && parent !== null ? parent as Socket : undefined;
}

function serverOptions(settings: ListenerSettings): Parameters<typeof createServer>[0] {
  const { limits = {} } = settings;
  const requestTimeout = limits.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  return {
    ...secureContext(settings.trust),
    requestCert: true,
    rejectUnauthorized: true,
    handshakeTimeout: limits.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS,
    headersTimeout: Math.min(limits.headersTimeoutMs ?? HEADERS_TIMEOUT_MS, requestTimeout),
    requestTimeout,
    keepAliveTimeout: limits.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
    connectionsCheckingInterval: limits.timeoutCheckMs ?? TIMEOUT_CHECK_MS,
    maxHeaderSize: HEADER_BYTES_MAX,
  };
}

/** The version belongs to it: a context that is set without one takes TLS 1.2 (measured). */
function secureContext(
  { certificatePem, keyPem, clients }: IntakeTrust,
): Parameters<Server["setSecureContext"]>[0] {
  const ca = [...clients.authoritiesPem];
  return { cert: certificatePem, key: keyPem, ca, minVersion: "TLSv1.3" };
}

function cannotListen(error: unknown, { hostname, port }: ListenerSettings): ImmuneError {
  const { code, message } = error as Error & { readonly code?: string };
  return code === "EADDRINUSE"
    ? new ImmuneError(
      "PORT_IN_USE",
      `Cannot listen on "${hostname}:${port}": another program does; choose another with --agents`,
      { cause: error },
    )
    : new ImmuneError("LISTEN_REFUSED", `Cannot listen on "${hostname}:${port}": ${message}`, {
      cause: error,
    });
}
