import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Readable } from "node:stream";
import { Connections } from "./connections.ts";
import type { Peer } from "./context.ts";

/** Most connections that are open at a time: browsers, verbs, programs. */
export const CONNECTIONS_MAX = 256;
/** Longest time until a request's headers are whole, in milliseconds. */
export const HEADERS_TIMEOUT_MS = 10_000;
/** Longest time until a request is whole, in milliseconds. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** Longest that a connection stays open on which nothing moves, in milliseconds. */
export const IDLE_TIMEOUT_MS = 60_000;
/** How often it is looked for requests over their time, in milliseconds. */
const TIMEOUT_CHECK_MS = 1000;
/** How long answers under way have when the server stops, in milliseconds. */
const STOP_TIMEOUT_MS = 5000;

/** Bounds of the server; each has the default that its name says. */
export interface HttpLimits {
  readonly connectionsMax?: number;
  readonly headersTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly timeoutCheckMs?: number;
}

/** What handles requests. */
export type Handler = (request: Request, peer: Peer) => Response | Promise<Response>;

/** A plain HTTP server that bounds its connections and how long they may be silent. */
export class HttpServer {
  readonly #server: Server;
  readonly #connections: Connections;

  private constructor(handler: Handler, limits: HttpLimits) {
    this.#connections = new Connections(limits.connectionsMax ?? CONNECTIONS_MAX);
    const idleTimeoutMs = limits.idleTimeoutMs ?? IDLE_TIMEOUT_MS;
    this.#server = createServer({
      headersTimeout: limits.headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: idleTimeoutMs,
      connectionsCheckingInterval: limits.timeoutCheckMs ?? TIMEOUT_CHECK_MS,
    }, (incoming, outgoing) => {
      outgoing.once("close", this.#connections.begin(incoming));
      const askedBy = (who: string | undefined): void =>
        this.#connections.setHolder(incoming.socket, who);
      void serve(handler, { incoming, outgoing, askedBy });
    });
    // Whoever takes no answer, too, moves nothing. Set here, it holds for each request of a
    // connection: node:http gives this limit back to it with every one.
    this.#server.setTimeout(idleTimeoutMs, (socket: Socket) => void socket.destroy());
    this.#server.on("connection", (socket: Socket) => this.#connections.add(socket));
  }

  /**
   * Opens a server.
   *
   * @param handler What handles requests.
   * @param options Where, and its bounds; port 0 = any free one.
   * @returns The server, once it listens.
   * @throws {Error} what the system says of an address that cannot be had.
   */
  static async listen(
    handler: Handler,
    options: { readonly hostname: string; readonly port: number; readonly limits?: HttpLimits },
  ): Promise<HttpServer> {
    const { hostname, port, limits = {} } = options;
    const made = new HttpServer(handler, limits);
    const listening = Promise.withResolvers<void>();
    made.#server.once("error", listening.reject);
    made.#server.listen(port, hostname, listening.resolve);
    await listening.promise;
    return made;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#connections.count;
  }

  /** Connections that were turned away, or ended for another, for there were too many. */
  get refused(): number {
    return this.#connections.refused;
  }

  /** Stops it; answers under way have five seconds. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const late = setTimeout(() => this.#connections.destroy(), STOP_TIMEOUT_MS);
    await closed;
    clearTimeout(late);
  }
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

async function serve(
  handler: Handler,
  { incoming, outgoing, askedBy }: Exchange & Required<Pick<Peer, "askedBy">>,
): Promise<void> {
  try {
    const request = requestOf(incoming);
    const { remoteAddress } = incoming.socket;
    const remoteAddr = { transport: "tcp", hostname: remoteAddress ?? "" };
    const peer = remoteAddress === undefined ? { askedBy } : { remoteAddr, askedBy };
    const answer = request === undefined
      ? new Response(null, { status: 400 })
      : await handler(request, peer);
    await send(answer, { incoming, outgoing });
  } catch {
    // The handler answers everything; what is left is a peer that has gone, or that sends what no
    // request is made of.
    outgoing.destroy();
  }
}

/** `undefined` for what names no place of a host, or two hosts (RFC 9112, 3.2). */
function requestOf(incoming: IncomingMessage): Request | undefined {
  const { url = "", method = "GET", rawHeaders, socket } = incoming;
  const [host = `localhost:${socket.localPort}`, ...more] = incoming.headersDistinct.host ?? [];
  if (more.length > 0 || !url.startsWith("/") || /^$|[/\\?#@\s]/.test(host)) return undefined;
  const where = URL.parse(`http://${host}${url}`);
  if (where === null) return undefined;
  const headers = new Headers();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    headers.append(rawHeaders[i] ?? "", rawHeaders[i + 1] ?? "");
  }
  const hasBody = method !== "GET" && method !== "HEAD";
  try {
    if (!hasBody) return new Request(where, { method, headers });
    const body = Readable.toWeb(incoming) as ReadableStream<Uint8Array<ArrayBuffer>>;
    return new Request(where, { method, headers, body });
  } catch {
    // A method that no browser sends.
    return undefined;
  }
}

/** No faster than it is read. */
async function send(answer: Response, { incoming, outgoing }: Exchange): Promise<void> {
  const headers: Record<string, string | string[]> = Object.fromEntries(answer.headers);
  const cookies = answer.headers.getSetCookie();
  if (cookies.length > 0) headers["set-cookie"] = cookies;
  // What was not read of a request is not read past: its sender ends.
  if (!incoming.complete) headers["connection"] = "close";
  outgoing.writeHead(answer.status, headers);
  const gone = Promise.withResolvers<"gone">();
  outgoing.once("close", () => gone.resolve("gone"));
  const reader = answer.body?.getReader();
  while (reader !== undefined) {
    const next = await Promise.race([reader.read(), gone.promise]);
    if (next === "gone" || next.done) {
      if (next === "gone") await reader.cancel();
      break;
    }
    if (outgoing.write(next.value)) continue;
    const drained = new Promise<void>((resolve) => outgoing.once("drain", resolve));
    await Promise.race([drained, gone.promise]);
  }
  outgoing.end();
}
