import { createHash } from "node:crypto";
import { ImmuneError } from "../config/errors.ts";
import { ANTIBODY_SET_BYTES_MAX } from "../herd/set.ts";
import {
  DIRECTIVE_BYTES_MAX,
  type DirectiveStream,
  FrameReader,
  PACK_BYTES_MAX,
  type ResultReport,
} from "../wire/mod.ts";
import { hiveUrl } from "./address.ts";
import { ANSWER_BYTES_MAX, printable } from "./answer.ts";
import { checkPinned } from "./pin.ts";
import { boundedText } from "./bounded_text.ts";
import { errorSchema, ROUTES } from "./protocol.ts";
import { ANSWER_TIMEOUT_MS, failure, hiveClient, type TransportOptions } from "./transport.ts";

/** What an agent has of each stream. */
export type Cursor = Readonly<Record<DirectiveStream, number>>;

/** An answer that is none of what was asked for. */
export class OrdersRefused extends Error {
  override readonly name = "OrdersRefused";
  /** True when this agent is not, or no longer, accepted. */
  readonly forbidden: boolean;
  /** True when it was asked too often: later it answers. */
  readonly limited: boolean;

  /**
   * @param message Why, in one line.
   * @param options `forbidden`; `limited`, default false.
   */
  constructor(
    message: string,
    { forbidden, limited = false }: { readonly forbidden: boolean; readonly limited?: boolean },
  ) {
    super(message);
    this.forbidden = forbidden;
    this.limited = limited;
  }
}

/** Where a hive is, and how an agent reaches it. */
export interface OrdersWay {
  /** `HOST:PORT` of the hive. */
  readonly agents: string;
  /** Makes a client that shows this agent's certificate and trusts nobody but the hive. */
  readonly client: () => Deno.HttpClient;
}

/**
 * What an agent asks its hive about orders, over mutual TLS. A client resumes the sessions of its
 * earlier connections, and a hive trusts no resumed session: so the downlink has a client for each
 * connection, and a request that meets a dead connection is made again by a new one.
 */
export class HiveOrders implements Disposable {
  readonly #way: OrdersWay;
  #client: Deno.HttpClient | undefined;

  /** @param way Where and how. */
  constructor(way: OrdersWay) {
    this.#way = way;
  }

  /**
   * The way of an agent.
   *
   * @param identity Where, as whom, and whom to trust: asked for each client, for certificates are
   * renewed.
   * @throws {ImmuneError} `HIVE_UNREACHABLE` in a process that trusts more than the hive.
   */
  static pinned(identity: () => TransportOptions): HiveOrders {
    checkPinned();
    const { agents } = identity();
    return new HiveOrders({ agents, client: () => hiveClient(identity()) });
  }

  /**
   * Opens the downlink.
   *
   * @param after What this agent has.
   * @param signal Ends it.
   * @returns Its frames as they come; an empty one for each that only says that the line holds.
   * @throws {OrdersRefused} when the hive does not open it, and whatever `fetch` throws.
   */
  async *frames(
    after: Cursor,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
    using client = this.#way.client();
    const url = this.#url(ROUTES.downlink, { ...after });
    const response = await answered(await fetch(url, { redirect: "manual", client, signal }));
    const reader = new FrameReader();
    for await (const piece of response.body ?? []) yield* reader.push(piece);
  }

  /**
   * Asks for a canary.
   *
   * @param nonce What it is to answer.
   * @returns A directive as it came; nothing of it was checked.
   */
  async canary(nonce: string): Promise<Uint8Array<ArrayBuffer>> {
    const response = await this.#ask(this.#url(ROUTES.canary, { nonce }));
    return await boundedBytes(response, DIRECTIVE_BYTES_MAX);
  }

  /**
   * Asks for a pack of rules.
   *
   * @param hash Its SHA-256, 64 hexadecimal digits.
   * @returns The pack, which has this hash.
   * @throws {ImmuneError} `INPUT_MALFORMED` when what comes has another one.
   */
  async pack(hash: string): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#named(`${ROUTES.packs}/${hash}`, { hash, bytesMax: PACK_BYTES_MAX });
  }

  /**
   * Asks for a set of antibodies.
   *
   * @param hash Its SHA-256, 64 hexadecimal digits.
   * @returns The set, which has this hash.
   * @throws {ImmuneError} `INPUT_MALFORMED` when what comes has another one.
   */
  async antibodies(hash: string): Promise<Uint8Array<ArrayBuffer>> {
    const route = `${ROUTES.antibodies}/${hash}`;
    return await this.#named(route, { hash, bytesMax: ANTIBODY_SET_BYTES_MAX });
  }

  /**
   * Tells what became of orders.
   *
   * @param report What there is to tell.
   */
  async report(report: ResultReport): Promise<void> {
    const response = await this.#ask(this.#url(ROUTES.results), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(report),
    });
    await response.body?.cancel();
  }

  /** Closes its connections. */
  [Symbol.dispose](): void {
    this.#client?.close();
    this.#client = undefined;
  }

  /** What a hash names. */
  async #named(
    route: string,
    { hash, bytesMax }: { readonly hash: string; readonly bytesMax: number },
  ): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await boundedBytes(await this.#ask(this.#url(route)), bytesMax);
    if (createHash("sha256").update(bytes).digest("hex") === hash) return bytes;
    throw new ImmuneError("INPUT_MALFORMED", `Cannot take "${hash}": its hash is another one`);
  }

  #url(route: string, query: Readonly<Record<string, string | number>> = {}): URL {
    const url = hiveUrl(this.#way.agents, route);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    return url;
  }

  async #ask(url: URL, request: RequestInit = {}): Promise<Response> {
    const isFresh = this.#client === undefined;
    try {
      return await answered(await this.#fetch(url, request));
    } catch (error) {
      // A certificate that was renewed meanwhile is refused too: the new one may not be.
      if (isFresh || (error instanceof OrdersRefused && !error.forbidden)) throw error;
      this[Symbol.dispose]();
      return await answered(await this.#fetch(url, request));
    }
  }

  #fetch(url: URL, request: RequestInit): Promise<Response> {
    this.#client ??= this.#way.client();
    return fetch(url, {
      ...request,
      redirect: "manual",
      client: this.#client,
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
  }
}

/** The answer, when it is the one that was asked for. */
async function answered(response: Response): Promise<Response> {
  if (response.status !== 200) throw await refusal(response);
  return response;
}

/**
 * Why asking the hive came to nothing, in one line.
 *
 * @param error What was thrown.
 */
export function ordersFailure(error: unknown): string {
  return error instanceof OrdersRefused ? error.message : failure(error);
}

async function refusal(response: Response): Promise<OrdersRefused> {
  const { status } = response;
  const text = await boundedText(response, ANSWER_BYTES_MAX).catch(() => "");
  let why = `HTTP status ${status}`;
  try {
    const { error } = errorSchema.parse(JSON.parse(text));
    why = `${error.code}: ${printable(error.message)}`;
  } catch {
    // Something between us and the hive answered.
  }
  const forbidden = status === 401 || status === 403;
  return new OrdersRefused(why, { forbidden, limited: status === 429 });
}

async function boundedBytes(
  response: Response,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body ?? []) {
    length += piece.length;
    if (length > bytesMax) {
      throw new ImmuneError("INPUT_MALFORMED", `Cannot take over ${bytesMax} bytes of an answer`);
    }
    pieces.push(piece);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
