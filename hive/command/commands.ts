import { type Clock, ImmuneError } from "../../common/config/mod.ts";
import { ANTIBODY_LIFETIME_MS_MAX } from "../../common/herd/antibody.ts";
import type { StopKeyFacts } from "../../common/keys/mod.ts";
import { EVERY_HOST } from "../../common/wire/mod.ts";
import type { OrderTrust } from "../../common/link/protocol.ts";
import type { Published } from "../intake/downlinks.ts";
import type { Store } from "../store/store.ts";
import type { AntibodySetFiles } from "./antibody_sets.ts";
import { DirectiveKey } from "./directive_key.ts";
import { Outbox, type Sent } from "./outbox.ts";
import type { PackFiles } from "./packs.ts";
import { type Order, orderSchema } from "./schemas.ts";
import { CANARY_VALIDITY_MS } from "./signer.ts";
import type { SignerClient } from "./signer_client.ts";
import { StopKey } from "./stop_key.ts";

/** How long what can take something away from a host holds unless told otherwise, in milliseconds. */
export const DESTRUCTIVE_VALIDITY_MS = 60_000;
/** Longest that an order may hold, in milliseconds. */
export const ORDER_VALIDITY_MAX_MS = 7 * 24 * 3600 * 1000;
/**
 * How long sets of antibodies are on their way to hosts that are away, in milliseconds: as long as
 * the longest antibody holds.
 */
export const ANTIBODIES_VALIDITY_MS = ANTIBODY_LIFETIME_MS_MAX;
/** How often a canary is pushed unless told otherwise, in milliseconds. */
export const CANARY_INTERVAL_MS = 24 * 3600 * 1000;

/** What commands work with. */
export interface CommandsOptions {
  /** 32 hexadecimal digits. */
  readonly fleet: string;
  readonly store: Store;
  readonly signer: Pick<SignerClient, "sign" | "successor" | "succeed">;
  /** Public half of the directive key that is in force, 64 hexadecimal digits. */
  readonly directiveKey: string;
  readonly packs: PackFiles;
  readonly sets: AntibodySetFiles;
  /** Sends to those who are connected. */
  readonly publish: (published: Published) => void;
  readonly clock: Clock;
  /** How often a canary is pushed, in milliseconds. Default {@linkcode CANARY_INTERVAL_MS}. */
  readonly canaryMs?: number;
}

/** Who orders what, and for whom. */
export interface SendOptions {
  /** Host id. Default: every host of the fleet. */
  readonly host?: string | undefined;
  /** How long it holds, in milliseconds. Default 60,000. */
  readonly validMs?: number | undefined;
  /** Who wants it, for people. */
  readonly by: string;
}

/** Has orders numbered, signed, kept and sent, one after the other. */
export class Commands implements Disposable {
  readonly #options: CommandsOptions;
  readonly #outbox: Outbox;
  readonly #directiveKey: DirectiveKey;
  readonly #stopKey: StopKey;
  #timer: { cancel(): void } | undefined;
  #ended = false;

  /** @param options Store, signer and way out. */
  constructor(options: CommandsOptions) {
    const outbox = new Outbox(options);
    this.#options = options;
    this.#outbox = outbox;
    this.#directiveKey = new DirectiveKey(options.directiveKey, { ...options, outbox });
    this.#stopKey = new StopKey({ ...options, outbox });
  }

  /** What an agent that enrols is told: whose orders it is to take. */
  async trust(): Promise<OrderTrust> {
    const facts = await this.stopKey();
    const { fleet } = this.#options;
    return { fleet, directiveKey: this.directiveKey, stopKey: facts?.publicKey ?? null };
  }

  /**
   * Begins: ends what was cut short, a rotation or a stop key that agents were not told of, and
   * pushes canaries from now on.
   */
  async start(): Promise<void> {
    await this.#directiveKey.endRotation();
    await this.#stopKey.nameAgain();
    await this.#pushCanary();
  }

  /** Fleet that it speaks for, 32 hexadecimal digits. */
  get fleet(): string {
    return this.#options.fleet;
  }

  /** Public half of the directive key that is in force, 64 hexadecimal digits. */
  get directiveKey(): string {
    return this.#directiveKey.publicKey;
  }

  /**
   * Sends an order.
   *
   * @param order What is to be done.
   * @param options For whom, how long, on whose behalf.
   * @throws {ImmuneError} `INPUT_MALFORMED` for what is no order, `NOT_FOUND` for a pack that is
   * not here or a host without an agent.
   */
  async send(order: Order, options: SendOptions): Promise<Sent> {
    const { validMs = DESTRUCTIVE_VALIDITY_MS, host, by } = options;
    const checked = await this.checkOrder(order, { validMs, host });
    return await this.#outbox.send(checked, { target: host ?? EVERY_HOST, validMs, by });
  }

  /**
   * Checks an order without sending it. The pack that it names is kept as long as it may wait or hold.
   *
   * @param order What is to be done.
   * @param options For whom, how long; `waitMs`: how long one that is sent later may wait.
   * @returns The order.
   * @throws {ImmuneError} as `send` does.
   */
  async checkOrder(
    order: Order,
    options: Omit<SendOptions, "by"> & { readonly waitMs?: number } = {},
  ): Promise<Order> {
    const checked = orderSchema.safeParse(order);
    if (!checked.success) {
      throw malformed(checked.error.issues[0]?.message ?? "it does not hold");
    }
    const { validMs = DESTRUCTIVE_VALIDITY_MS, host, waitMs } = options;
    if (!(validMs >= 1000 && validMs <= ORDER_VALIDITY_MAX_MS)) {
      throw malformed(`it may hold 1 s to ${ORDER_VALIDITY_MAX_MS / 1000} s`);
    }
    if (host !== undefined && !(await this.#hosts()).has(host)) {
      throw new ImmuneError("NOT_FOUND", `Cannot order host "${host}": it has no agent here`);
    }
    const { kind, body } = checked.data;
    if (kind === "rules" && body.pack !== null) {
      const { packs, clock } = this.#options;
      if (packs.get(body.pack) === undefined) {
        throw new ImmuneError("NOT_FOUND", `Cannot order pack "${body.pack}": it is not here`);
      }
      packs.hold(body.pack, clock.nowMs() + (waitMs ?? validMs));
    }
    return checked.data;
  }

  /** A pack of rules that is kept here. */
  pack(hash: string): Uint8Array<ArrayBuffer> | undefined {
    return this.#options.packs.get(hash);
  }

  /** Keeps a pack of rules; gives its hash. */
  addPack(bytes: Uint8Array): string {
    return this.#options.packs.add(bytes, this.#options.clock);
  }

  /**
   * Orders hosts to have a set of antibodies in the place of the one before.
   *
   * @param set As `writeAntibodySet` gave it; null = none.
   * @param target Host id, or zeros for every host.
   * @returns The set's SHA-256.
   */
  async antibodies(set: Uint8Array | null, target: string): Promise<string | null> {
    const hash = set === null ? null : this.#options.sets.add(set);
    await this.#outbox.send(
      { kind: "antibodies", body: { set: hash } },
      { target, validMs: ANTIBODIES_VALIDITY_MS, by: "herd" },
    );
    return hash;
  }

  /** As {@linkcode DirectiveKey.rotate}. */
  rotate(by: string): Promise<Sent> {
    return this.#directiveKey.rotate(by);
  }

  /** As {@linkcode StopKey.current}. */
  stopKey(): Promise<StopKeyFacts | undefined> {
    return this.#stopKey.current();
  }

  /** As {@linkcode StopKey.set}. */
  setStopKey(...given: Parameters<StopKey["set"]>): Promise<Sent> {
    return this.#stopKey.set(...given);
  }

  /** As {@linkcode StopKey.check}. */
  checkStopKey(...given: Parameters<StopKey["check"]>): Promise<void> {
    return this.#stopKey.check(...given);
  }

  /** As {@linkcode StopKey.stop}. */
  stop(...given: Parameters<StopKey["stop"]>): Promise<Sent> {
    return this.#stopKey.stop(...given);
  }

  /** As {@linkcode StopKey.checkStop}. */
  checkStop(...given: Parameters<StopKey["checkStop"]>): ReturnType<StopKey["checkStop"]> {
    return this.#stopKey.checkStop(...given);
  }

  /** Pushes a canary now, and again and again; one that could not be signed stops none after it. */
  async #pushCanary(): Promise<void> {
    this.#timer?.cancel();
    const { clock, canaryMs = CANARY_INTERVAL_MS } = this.#options;
    const next = (): void => void this.#pushCanary().catch(() => {});
    try {
      await this.#outbox.send(
        { kind: "canary", body: { nonce: null } },
        { target: EVERY_HOST, validMs: CANARY_VALIDITY_MS, by: "hive" },
      );
    } finally {
      if (!this.#ended) this.#timer = clock.setTimer(next, canaryMs);
    }
  }

  /** Pushes no more canaries. */
  [Symbol.dispose](): void {
    this.#ended = true;
    this.#timer?.cancel();
  }

  async #hosts(): Promise<ReadonlySet<string>> {
    const agents = await this.#options.store.agents();
    return new Set(agents.filter(({ revoked }) => !revoked).map(({ hostId }) => hostId));
  }
}

function malformed(why: string): ImmuneError {
  return new ImmuneError("INPUT_MALFORMED", `Cannot send this order: ${why}`);
}
