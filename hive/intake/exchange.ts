import type { IncomingMessage, ServerResponse } from "node:http";
import { DRAIN_BYTES_MAX } from "./bounds.ts";
import type { IntakeEnv } from "./identity.ts";

/** A request of node's server as the app wants it. */
export interface Exchange {
  readonly request: Request;
  readonly bindings: IntakeEnv["Bindings"];
}

/** What handles it. */
export type FetchApp = (
  request: Request,
  bindings: IntakeEnv["Bindings"],
) => Response | Promise<Response>;

/** Options of {@linkcode serveExchange}. */
export interface ServeExchangeOptions {
  readonly fetch: FetchApp;
  /** What is known about the socket. */
  readonly bindings: IntakeEnv["Bindings"];
}

/**
 * Serves one request of node's server by an app. The body stays where it is until the app reads it;
 * what the app leaves unread is read past, so that the client hears the answer, up to a bound.
 *
 * @param incoming The request.
 * @param outgoing Its answer.
 * @param options The app.
 */
export async function serveExchange(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: ServeExchangeOptions,
): Promise<void> {
  const { fetch, bindings } = options;
  const body = new IncomingBody(incoming);
  const answer = await fetch(requestOf(incoming), { ...bindings, body });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (outgoing.destroyed || incoming.socket.destroyed) return;
  const headers: Record<string, string | number> = Object.fromEntries(answer.headers);
  headers["Content-Length"] = bytes.length;
  // The app gave up in the middle of a body: nothing behind it on this connection can be read.
  if (body.begun && !incoming.complete) {
    headers["Connection"] = "close";
    outgoing.writeHead(answer.status, headers);
    outgoing.end(bytes, () => incoming.socket.destroy());
    return;
  }
  outgoing.writeHead(answer.status, headers);
  outgoing.end(bytes);
  if (!incoming.complete) drain(incoming);
}

/** The body of node's request, and whether anybody began to read it. */
class IncomingBody implements AsyncIterable<Uint8Array> {
  readonly #incoming: IncomingMessage;
  begun = false;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    this.begun = true;
    return this.#incoming[Symbol.asyncIterator]();
  }
}

/** Only method, path and headers: the app reads the body from node's request itself. */
function requestOf(incoming: IncomingMessage): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (typeof value === "string") headers.set(name, value);
  }
  // The host is what the client likes it to be: it names nothing here.
  const url = URL.parse(incoming.url ?? "/", "https://hive") ?? new URL("https://hive/");
  return new Request(url, { method: incoming.method ?? "GET", headers });
}

function drain(incoming: IncomingMessage): void {
  let left = DRAIN_BYTES_MAX;
  incoming.on("data", (chunk: Uint8Array) => {
    left -= chunk.length;
    if (left < 0) incoming.socket.destroy();
  });
  incoming.on("error", () => {});
  incoming.resume();
}
