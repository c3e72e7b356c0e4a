import type { IncomingMessage, ServerResponse } from "node:http";
import { FRAMES_TYPE } from "../../common/link/protocol.ts";
import { BATCH_BYTES_MAX } from "../../common/wire/batch.ts";
import { DRAIN_BYTES_MAX } from "./bounds.ts";
import { SocketFlow } from "./flow.ts";
import type { IntakeEnv } from "./identity.ts";
import { IncomingBody } from "./incoming_body.ts";

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
  /** Asked when the answer is sent: whether the connection ends with it. */
  readonly isLast: () => boolean;
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
  const flow = new SocketFlow(incoming.socket);
  const body = new IncomingBody(incoming, { flow, lengthMax: BATCH_BYTES_MAX });
  const answer = await fetch(requestOf(incoming), { ...bindings, body });
  if (answer.headers.get("Content-Type") === FRAMES_TYPE) {
    // Reading goes on: that is how the end of the connection is noticed.
    flow.release();
    return await sendFrames(answer, outgoing);
  }
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (outgoing.destroyed || incoming.socket.destroyed) return;
  const headers: Record<string, string | number> = Object.fromEntries(answer.headers);
  headers["Content-Length"] = bytes.length;
  if (options.isLast()) headers["Connection"] = "close";
  outgoing.writeHead(answer.status, headers);
  outgoing.end(bytes);
  if (!body.complete) {
    // Who breaks off behind the answer has broken nothing.
    const drained = await body.drain(DRAIN_BYTES_MAX).catch(() => false);
    if (!drained) incoming.socket.destroy();
  }
  flow.release();
}

/** Sends an answer that has no end, no faster than it is read, until either side ends it. */
async function sendFrames(answer: Response, outgoing: ServerResponse): Promise<void> {
  const reader = answer.body?.getReader();
  if (reader === undefined) return void outgoing.end();
  const gone = Promise.withResolvers<"gone">();
  outgoing.once("close", () => gone.resolve("gone"));
  if (outgoing.destroyed) gone.resolve("gone");
  else outgoing.writeHead(answer.status, { "Content-Type": FRAMES_TYPE, Connection: "close" });
  try {
    for (;;) {
      const next = await Promise.race([reader.read(), gone.promise]);
      if (next === "gone" || next.done) return;
      if (outgoing.write(next.value)) continue;
      const drained = new Promise<"drained">((resolve) =>
        outgoing.once("drain", () => resolve("drained"))
      );
      if (await Promise.race([drained, gone.promise]) === "gone") return;
    }
  } finally {
    await reader.cancel();
    outgoing.end();
    // What its reader has not taken by now it does not get: it comes again.
    outgoing.socket?.destroySoon();
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
