import { type Cursor, HiveOrders } from "../../common/link/orders.ts";
import { hiveClient } from "../../common/link/transport.ts";
import { readDirective } from "../../common/wire/mod.ts";
import type { TestAgent, TestHive } from "./intake.ts";

/** What an agent asks its hive about orders. */
export function ordersOf(
  hive: TestHive,
  agent: TestAgent,
  options: { readonly proxy?: string | undefined } = {},
): HiveOrders {
  const client = (): Deno.HttpClient =>
    hiveClient({
      agents: "",
      certificatePem: agent.certificatePem,
      keyPem: agent.keyPem,
      hivePem: hive.server.certificatePem,
      ...(options.proxy === undefined ? {} : { proxy: options.proxy }),
    });
  return new HiveOrders({ agents: `127.0.0.1:${hive.intake.port}`, client });
}

/** A downlink that a test reads by hand. */
export class OpenDownlink implements AsyncDisposable {
  readonly #orders: HiveOrders;
  readonly #frames: AsyncGenerator<Uint8Array<ArrayBuffer>, void, void>;
  readonly #ending = new AbortController();

  private constructor(orders: HiveOrders, after: Cursor) {
    this.#orders = orders;
    this.#frames = orders.frames(after, this.#ending.signal);
  }

  /** Opens one; it is open when this returns. */
  static async of(
    hive: TestHive,
    agent: TestAgent,
    options: { readonly after?: Partial<Cursor>; readonly proxy?: string } = {},
  ): Promise<OpenDownlink> {
    const after = { directive: 0, canary: 0, stop: 0, ...options.after };
    const downlink = new OpenDownlink(ordersOf(hive, agent, { proxy: options.proxy }), after);
    const first = await downlink.#frames.next();
    if (first.done || first.value.length > 0) {
      throw new Error("It does not begin with an empty one");
    }
    return downlink;
  }

  /** The next frame with a directive; `undefined` = the hive ended it, or the line broke. */
  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      const next = await this.#frames.next().catch(() => ({ done: true, value: undefined }));
      if (next.done || next.value === undefined) return undefined;
      if (next.value.length > 0) return next.value;
    }
  }

  /** Stream and number of the next one, such as `directive 3`. */
  async named(): Promise<string | undefined> {
    const bytes = await this.next();
    if (bytes === undefined) return undefined;
    const read = readDirective(bytes);
    return "cause" in read ? read.cause : `${read.stream} ${read.directive.number}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#frames.return().catch(() => {});
    this.#orders[Symbol.dispose]();
  }
}
