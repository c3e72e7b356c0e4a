import { hiveUrl, splitAddress } from "./address.ts";
import { boundedText } from "./bounded_text.ts";
import { type Answer, ANSWER_BYTES_MAX, printable, readAnswer } from "./answer.ts";
import { certificatesIn, checkPinned } from "./pin.ts";
import { ROUTES } from "./protocol.ts";

/** Longest wait for an answer, in milliseconds; a message over a slow line fits in it. */
export const ANSWER_TIMEOUT_MS = 30_000;
/** Longest that reaching the hive and the handshake may take, in milliseconds. */
export const GREET_TIMEOUT_MS = 15_000;
/**
 * How long a connection waits for its next message, in milliseconds: less than the hive keeps it
 * (120 s), so that no message meets a connection that is just being closed.
 */
export const CONNECTION_IDLE_MS = 60_000;

/** What an agent shows to the hive, and whom it trusts. */
export interface TransportOptions {
  /** `HOST:PORT` where the hive takes batches. */
  readonly agents: string;
  /** The agent's certificate (PEM). */
  readonly certificatePem: string;
  /** Its key (PKCS #8, PEM). */
  readonly keyPem: string;
  /** The hive's certificates (PEM), the only ones that are trusted: the one in use, and the next. */
  readonly hivePem: string;
  /** HTTP proxy that connections go through by CONNECT, such as `http://proxy:3128`. Default: none. */
  readonly proxy?: string;
}

/** No answer of the hive. */
export type NoAnswer = Extract<Answer, { type: "unreachable" | "unpinned" }>;

/** Takes a message to the hive. */
export interface Transport extends Disposable {
  /**
   * Finds out whether the hive is there and is the pinned one; no failure of the way is thrown.
   * Default: that shows with the first message.
   *
   * @param signal Ends the wait.
   * @param onHandshake Told when something answers there, before it is known who.
   * @returns What is wrong, or `undefined`.
   */
  greet?(signal: AbortSignal, onHandshake: () => void): Promise<NoAnswer | undefined>;
  /**
   * Takes a message to the hive; no failure of the way or of the hive is thrown.
   *
   * @param bytes The message.
   * @param signal Ends the wait.
   */
  post(bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<Answer>;
}

/** A question besides messages. */
export interface AskOptions {
  /** As in `ROUTES`. */
  readonly route: string;
  /** Sent as JSON with POST. Default: nothing, with GET. */
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

/** Messages over HTTP/1.1 and mutual TLS, on one connection as long as it holds. */
export class HiveTransport implements Transport {
  #options: TransportOptions;
  #client: SharedClient;

  /**
   * @param options Where, as whom, and whom to trust.
   * @throws {ImmuneError} `HIVE_UNREACHABLE` in a process that trusts more than the hive.
   */
  constructor(options: TransportOptions) {
    checkPinned();
    this.#options = options;
    this.#client = new SharedClient(options);
  }

  /**
   * Shows another certificate and trusts others from now on; requests under way come to their end.
   *
   * @param options Where, as whom, and whom to trust.
   */
  use(options: TransportOptions): void {
    const before = this.#client;
    // The way stays as it is, through a proxy for instance.
    this.#options = { ...this.#options, ...options };
    this.#client = new SharedClient(this.#options);
    before[Symbol.dispose]();
  }

  async greet(signal: AbortSignal, onHandshake: () => void): Promise<NoAnswer | undefined> {
    const { agents, certificatePem, keyPem, hivePem, proxy } = this.#options;
    // Behind a proxy what is wrong shows with the first message.
    if (proxy !== undefined) return undefined;
    const { host = "", port = 0 } = splitAddress(agents) ?? {};
    const late = AbortSignal.any([signal, AbortSignal.timeout(GREET_TIMEOUT_MS)]);
    let connection: Deno.TlsConn | undefined;
    try {
      const connecting = Deno.connectTls({
        hostname: host.replace(/^\[(.*)\]$/, "$1"),
        port,
        caCerts: certificatesIn(hivePem),
        cert: certificatePem,
        key: keyPem,
      });
      connection = await unlessAborted(connecting, late);
      onHandshake();
      await unlessAborted(connection.handshake(), late);
      return undefined;
    } catch (error) {
      return noAnswer(error, agents);
    } finally {
      connection?.close();
    }
  }

  async post(bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<Answer> {
    try {
      const response = await this.#fetch(ROUTES.batches, {
        method: "POST",
        headers: { "content-type": "application/octet-stream" },
        body: bytes,
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
      });
      return readAnswer(response.status, response.text);
    } catch (error) {
      return noAnswer(error, this.#options.agents);
    }
  }

  /**
   * Asks something else of the hive.
   *
   * @param options What.
   * @returns Status and text of the answer.
   * @throws {TypeError} when there is no answer.
   */
  ask(options: AskOptions): Promise<{ readonly status: number; readonly text: string }> {
    const { route, body, signal } = options;
    const limited = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
    if (body === undefined) return this.#fetch(route, { signal: limited });
    return this.#fetch(route, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: limited,
    });
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }

  async #fetch(
    route: string,
    init: RequestInit,
  ): Promise<{ readonly status: number; readonly text: string }> {
    using client = this.#client.share();
    const url = hiveUrl(this.#options.agents, route);
    const response = await fetch(url, { ...init, redirect: "manual", client: client.http });
    return { status: response.status, text: await boundedText(response, ANSWER_BYTES_MAX) };
  }
}

/** A client that closes when its owner and all who use it have let it go. */
class SharedClient implements Disposable {
  readonly #http: Deno.HttpClient;
  #holders = 1;

  constructor(options: TransportOptions) {
    this.#http = hiveClient(options);
  }

  share(): { readonly http: Deno.HttpClient } & Disposable {
    this.#holders++;
    return { http: this.#http, [Symbol.dispose]: () => this[Symbol.dispose]() };
  }

  [Symbol.dispose](): void {
    if (--this.#holders === 0) this.#http.close();
  }
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  return Promise.race([work, aborted.promise])
    .finally(() => signal.removeEventListener("abort", abort));
}

function noAnswer(error: unknown, address: string): NoAnswer {
  const reason = failure(error);
  if (!isPinFailure(error)) return { type: "unreachable", reason };
  return {
    type: "unpinned",
    reason: `PIN_MISMATCH: what answers at "${address}" is not the hive that this host enrolled ` +
      `with (${reason}); nothing was sent`,
  };
}

/**
 * Whether a connection came to nothing because of the certificate that was shown.
 *
 * @param error What `fetch` or a handshake threw.
 */
export function isPinFailure(error: unknown): boolean {
  return failure(error).includes("invalid peer certificate");
}

/**
 * The client with which an agent talks to its hive: mutual TLS, HTTP/1.1, one idle connection.
 *
 * @param options As whom, whom to trust, and through which proxy.
 */
export function hiveClient(options: TransportOptions): Deno.HttpClient {
  const { certificatePem: cert, keyPem: key, hivePem, proxy } = options;
  return Deno.createHttpClient({
    cert,
    key,
    caCerts: certificatesIn(hivePem),
    http2: false,
    poolMaxIdlePerHost: 1,
    poolIdleTimeout: CONNECTION_IDLE_MS,
    ...(proxy === undefined ? {} : { proxy: { url: proxy } }),
  });
}

/**
 * Why a request came to nothing, in one line.
 *
 * @param error What `fetch` threw.
 * @returns The innermost reason that is known.
 */
export function failure(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = cause instanceof Error ? cause.message : String(cause);
  const at = text.indexOf("client error");
  return printable(at < 0 ? text : text.slice(at));
}
