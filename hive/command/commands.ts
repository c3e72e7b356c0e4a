import { type Clock, ImmuneError } from "../../common/config/mod.ts";
import { ANTIBODY_LIFETIME_MS_MAX } from "../../common/herd/antibody.ts";
import { type StopKeyFacts, stopKeySuccession, verifySignature } from "../../common/keys/mod.ts";
import {
  type Directive,
  DIRECTIVE_KINDS,
  type DirectiveStream,
  EVERY_HOST,
  type KeysBody,
  readDirective,
} from "../../common/wire/mod.ts";
import type { OrderTrust } from "../../common/link/protocol.ts";
import type { Published } from "../intake/downlinks.ts";
import { type DirectiveRow, DIRECTIVES_PER_ANSWER_MAX } from "../store/directive_store.ts";
import type { Store } from "../store/store.ts";
import type { UnsignedDirective } from "./messages.ts";
import type { AntibodySetFiles } from "./antibody_sets.ts";
import type { PackFiles } from "./packs.ts";
import { keepStopKey, keptStopKey } from "./kept_stop_key.ts";
import { type Order, orderSchema } from "./schemas.ts";
import { CANARY_VALIDITY_MS } from "./signer.ts";
import type { SignerClient } from "./signer_client.ts";

/** How long what can take something away from a host holds unless told otherwise, in milliseconds. */
export const DESTRUCTIVE_VALIDITY_MS = 60_000;
/** Longest that an order may hold, in milliseconds. */
export const ORDER_VALIDITY_MAX_MS = 7 * 24 * 3600 * 1000;
/** How long a change of keys holds, in milliseconds: as long as an agent may be away. */
export const KEYS_VALIDITY_MS = 400 * 24 * 3600 * 1000;
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

/** A directive that went out. */
export interface Sent {
  readonly stream: DirectiveStream;
  readonly number: number;
  /** Unix time in milliseconds. */
  readonly expiresMs: number;
}

/** Has orders numbered, signed, kept and sent, one after the other. */
export class Commands implements Disposable {
  readonly #options: CommandsOptions;
  #queue: Promise<unknown> = Promise.resolve();
  #timer: { cancel(): void } | undefined;
  #ended = false;
  #directiveKey: string;

  /** @param options Store, signer and way out. */
  constructor(options: CommandsOptions) {
    this.#options = options;
    this.#directiveKey = options.directiveKey;
  }

  /** What an agent that enrols is told: whose orders it is to take. */
  async trust(): Promise<OrderTrust> {
    const facts = await this.stopKey();
    const { fleet } = this.#options;
    return { fleet, directiveKey: this.#directiveKey, stopKey: facts?.publicKey ?? null };
  }

  /**
   * Begins: ends what was cut short, a rotation or a stop key that agents were not told of, and
   * pushes canaries from now on.
   */
  async start(): Promise<void> {
    await this.#endRotation();
    await this.#nameStopKey();
    await this.#pushCanary();
  }

  /** Fleet that it speaks for, 32 hexadecimal digits. */
  get fleet(): string {
    return this.#options.fleet;
  }

  /** Public half of the directive key that is in force, 64 hexadecimal digits. */
  get directiveKey(): string {
    return this.#directiveKey;
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
    return await this.#sign(checked, { target: host ?? EVERY_HOST, validMs, by });
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
    await this.#sign(
      { kind: "antibodies", body: { set: hash } },
      { target, validMs: ANTIBODIES_VALIDITY_MS, by: "herd" },
    );
    return hash;
  }

  /**
   * Puts the directive key's successor in force: agents hear of it in the old one's name first.
   *
   * @param by Who wants it.
   */
  rotate(by: string): Promise<Sent> {
    return this.#inTurn(async () => {
      const { signer } = this.#options;
      const directive = (await signer.successor()).toHex();
      const signed = await this.#signed(
        { kind: "keys", body: { directive, stop: null } },
        { target: EVERY_HOST, validMs: KEYS_VALIDITY_MS, by },
      );
      await this.#options.store.addDirective(signed);
      this.#directiveKey = (await signer.succeed()).toHex();
      this.#options.publish(signed);
      return sentOf(signed);
    });
  }

  /** A successor that agents may have heard of already takes its place. */
  async #endRotation(): Promise<void> {
    const { signer } = this.#options;
    const named = (await this.#keysNamed()).findLast(({ directive }) => directive !== null);
    if (named === undefined || named.directive === this.#directiveKey) return;
    if ((await signer.successor()).toHex() === named.directive) {
      this.#directiveKey = (await signer.succeed()).toHex();
    }
  }

  /** A stop key that the hive has taken and no agent heard of is named again. */
  async #nameStopKey(): Promise<void> {
    const kept = await keptStopKey(this.#options.store);
    if (kept === undefined) return;
    const named = (await this.#keysNamed()).findLast(({ stop }) => stop !== null);
    const { facts: { publicKey: key }, signature } = kept;
    if (named?.stop?.key !== key) await this.#sign(...stopKeyOrder({ key, signature }, "hive"));
  }

  /** What every host is told of keys and still holds, in the order of numbers. */
  async #keysNamed(): Promise<readonly KeysBody[]> {
    const { store, clock } = this.#options;
    const named: KeysBody[] = [];
    for (let directive = 0;;) {
      const query = { hostId: EVERY_HOST, after: { ...EVERYTHING, directive } };
      const rows = await store.directivesFor({ ...query, nowMs: clock.nowMs() });
      for (const { kind, bytes } of rows) {
        const read = kind === "keys" ? readDirective(bytes) : undefined;
        if (read === undefined || "cause" in read || read.directive.kind !== "keys") continue;
        named.push(read.directive.body);
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < DIRECTIVES_PER_ANSWER_MAX) return named;
      directive = last.number;
    }
  }

  /** What is published of the stop key; `undefined` = there is none yet. */
  async stopKey(): Promise<StopKeyFacts | undefined> {
    return (await keptStopKey(this.#options.store))?.facts;
  }

  /**
   * Takes what is published of a stop key, and tells agents. It is signed first, so that one whom
   * nobody can be told of is not taken; where that fails, its next start or the
   * next key tells them.
   *
   * @param facts What is published.
   * @param options `signature`: of the stop key before it over its successor; `by`.
   * @throws {ImmuneError} `FORBIDDEN` when there is one already and it did not sign this one.
   */
  async setStopKey(
    facts: StopKeyFacts,
    { signature, by }: { readonly signature: string | null; readonly by: string },
  ): Promise<Sent> {
    // Agents take a key from the one before it alone: none may be left out.
    await this.#nameStopKey();
    return await this.#inTurn(async () => {
      const { store } = this.#options;
      const before = await keptStopKey(store);
      await this.checkStopKey(facts, signature);
      const signed = await this.#signed(
        ...stopKeyOrder({ key: facts.publicKey, signature }, by),
      );
      const version = (before?.version ?? 0) + 1;
      if (!await keepStopKey(store, { facts, signature, version })) {
        throw new ImmuneError("FORBIDDEN", "Cannot take a stop key: another one came first");
      }
      await this.#keep(signed);
      return sentOf(signed);
    });
  }

  /**
   * Checks whether a stop key may be taken.
   *
   * @param facts What is published.
   * @param signature Of the stop key before it over its successor.
   * @throws {ImmuneError} `FORBIDDEN` when there is one already and it did not sign this one.
   */
  async checkStopKey(facts: StopKeyFacts, signature: string | null): Promise<void> {
    const before = await this.stopKey();
    if (before === undefined) return;
    await this.#checkSuccession(before, { successor: facts.publicKey, signature });
  }

  /**
   * Hands on what the holders of the stop key signed.
   *
   * @param bytes A directive of kind stop.
   * @param by Who brought it.
   * @throws {ImmuneError} `DIRECTIVE_INVALID` when it is none, or not signed by the stop key.
   */
  async stop(bytes: Uint8Array<ArrayBuffer>, by: string): Promise<Sent> {
    const { stream, kind, target, number, issuedMs, expiresMs } = await this.checkStop(bytes);
    const row = { stream, number, kind, target, issuedMs, expiresMs, by, bytes };
    await this.#keep(row);
    return sentOf(row);
  }

  /**
   * Checks what the holders of the stop key signed, without handing it on.
   *
   * @param bytes A directive of kind stop.
   * @returns What it says.
   * @throws {ImmuneError} `DIRECTIVE_INVALID` when it is none, or not signed by the stop key.
   */
  async checkStop(
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<Directive & { readonly kind: "stop"; readonly stream: DirectiveStream }> {
    const read = readDirective(bytes);
    if ("cause" in read) throw invalid(read.why);
    const { directive, stream, signed, signature } = read;
    const facts = await this.stopKey();
    if (facts === undefined) throw invalid("there is no stop key");
    if (directive.kind !== "stop" || directive.fleet !== this.fleet) {
      throw invalid("it is no stop of this fleet");
    }
    if (directive.expiresMs <= this.#options.clock.nowMs()) throw invalid("it is over already");
    const publicKey = Uint8Array.fromHex(facts.publicKey);
    if (!await verifySignature(publicKey, { purpose: "stop", bytes: signed, signature })) {
      throw invalid("the stop key did not sign it");
    }
    const after = { ...EVERYTHING, stop: directive.number - 1 };
    const kept = await this.#options.store.directivesFor({ hostId: EVERY_HOST, after, nowMs: 0 });
    if (kept.some(({ number }) => number === directive.number)) throw invalid("it went out before");
    return { ...directive, stream };
  }

  /** Pushes a canary now, and again and again; one that could not be signed stops none after it. */
  async #pushCanary(): Promise<void> {
    this.#timer?.cancel();
    const { clock, canaryMs = CANARY_INTERVAL_MS } = this.#options;
    const next = (): void => void this.#pushCanary().catch(() => {});
    try {
      await this.#sign(
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

  /** Agents take another stop key only from the old one; so does the hive. */
  async #checkSuccession(
    { publicKey }: StopKeyFacts,
    { successor, signature }: { readonly successor: string; readonly signature: string | null },
  ): Promise<void> {
    const holds = signature !== null && await verifySignature(Uint8Array.fromHex(publicKey), {
      purpose: "stop key successor",
      bytes: stopKeySuccession(this.fleet, successor),
      signature: Uint8Array.fromHex(signature),
    });
    if (holds) return;
    throw new ImmuneError("FORBIDDEN", "Cannot take a stop key: there is one, which has to sign");
  }

  async #hosts(): Promise<ReadonlySet<string>> {
    const agents = await this.#options.store.agents();
    return new Set(agents.filter(({ revoked }) => !revoked).map(({ hostId }) => hostId));
  }

  #sign(content: UnsignedContent, options: SignOptions): Promise<Sent> {
    return this.#inTurn(() => this.#signNow(content, options));
  }

  async #signNow(content: UnsignedContent, options: SignOptions): Promise<Sent> {
    const signed = await this.#signed(content, options);
    await this.#keep(signed);
    return sentOf(signed);
  }

  async #signed(
    content: UnsignedContent,
    { target, validMs, by }: SignOptions,
  ): Promise<DirectiveRow> {
    const { store, signer, fleet, clock } = this.#options;
    const { stream } = DIRECTIVE_KINDS[content.kind];
    const number = await store.nextDirectiveNumber(stream);
    const issuedMs = clock.nowMs();
    const expiresMs = issuedMs + validMs;
    const head = { fleet, target, number, issuedMs, expiresMs };
    const bytes = await signer.sign({ ...head, ...content });
    return { stream, number, kind: content.kind, target, issuedMs, expiresMs, by, bytes };
  }

  /** On the disk first: an agent that comes back asks for what it missed. */
  async #keep(row: DirectiveRow): Promise<void> {
    await this.#options.store.addDirective(row);
    this.#options.publish(row);
  }

  /** One at a time: agents refuse a number behind a later one. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }
}

/** Numbers behind which there is nothing. */
const EVERYTHING = {
  directive: Number.MAX_SAFE_INTEGER,
  canary: Number.MAX_SAFE_INTEGER,
  stop: Number.MAX_SAFE_INTEGER,
} as const;

type UnsignedContent = Pick<UnsignedDirective, "kind" | "body"> & UnsignedDirectiveContent;
type UnsignedDirectiveContent = UnsignedDirective extends infer D
  ? D extends { readonly kind: infer K; readonly body: infer B } ? { kind: K; body: B } : never
  : never;

interface SignOptions {
  readonly target: string;
  readonly validMs: number;
  readonly by: string;
}

/** A directive that names a stop key to every host. */
function stopKeyOrder(
  stop: NonNullable<KeysBody["stop"]>,
  by: string,
): readonly [UnsignedContent, SignOptions] {
  return [
    { kind: "keys", body: { directive: null, stop } },
    { target: EVERY_HOST, validMs: KEYS_VALIDITY_MS, by },
  ];
}

function sentOf({ stream, number, expiresMs }: DirectiveRow): Sent {
  return { stream, number, expiresMs };
}

function malformed(why: string): ImmuneError {
  return new ImmuneError("INPUT_MALFORMED", `Cannot send this order: ${why}`);
}

function invalid(why: string): ImmuneError {
  return new ImmuneError("DIRECTIVE_INVALID", `Cannot hand this stop on: ${why}`);
}
