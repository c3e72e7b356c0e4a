import { hiveUrl } from "./address.ts";
import { type Answer, ANSWER_BYTES_MAX, printable, readAnswer } from "./answer.ts";
import { checkPinned } from "./pin.ts";
import { ROUTES } from "./protocol.ts";

/** Longest wait for an answer, in milliseconds; a message over a slow line fits in it. */
export const ANSWER_TIMEOUT_MS = 30_000;
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
  /** Path of the hive's certificate, the only one that is trusted. */
  readonly hivePemPath: string;
  /** The hive's certificate (PEM). */
  readonly hivePem: string;
  /** HTTP proxy that connections go through by CONNECT, such as `http://proxy:3128`. Default: none. */
  readonly proxy?: string;
}

/** Takes a message to the hive. */
export interface Transport extends Disposable {
  /**
   * Takes a message to the hive; no failure of the way or of the hive is thrown.
   *
   * @param bytes The message.
   * @param signal Ends the wait.
   */
  post(bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<Answer>;
}

/** Messages over HTTP/1.1 and mutual TLS, on one connection as long as it holds. */
export class HiveTransport implements Transport {
  readonly #client: Deno.HttpClient;
  readonly #url: URL;

  /**
   * @param options Where, as whom, and whom to trust.
   * @throws {ImmuneError} `HIVE_UNREACHABLE` in a process that trusts more than the hive.
   */
  constructor(options: TransportOptions) {
    checkPinned(options.hivePemPath);
    this.#url = hiveUrl(options.agents, ROUTES.batches);
    this.#client = hiveClient(options);
  }

  async post(bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<Answer> {
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        headers: { "content-type": "application/octet-stream" },
        body: bytes,
        redirect: "manual",
        client: this.#client,
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
      });
      return readAnswer(response.status, await boundedText(response, ANSWER_BYTES_MAX));
    } catch (error) {
      return { type: "unreachable", reason: failure(error) };
    }
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#client.close();
  }
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
    caCerts: [hivePem],
    http2: false,
    poolMaxIdlePerHost: 1,
    poolIdleTimeout: CONNECTION_IDLE_MS,
    ...(proxy === undefined ? {} : { proxy: { url: proxy } }),
  });
}

/**
 * The text of an answer, up to a bound.
 *
 * @param response An answer whose body was not read.
 * @param bytesMax Most bytes; the rest is not read.
 * @returns The text.
 */
export async function boundedText(response: Response, bytesMax: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > bytesMax) break;
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
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
