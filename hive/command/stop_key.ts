import { type Clock, ImmuneError } from "../../common/config/mod.ts";
import { type StopKeyFacts, stopKeySuccession, verifySignature } from "../../common/keys/mod.ts";
import {
  type Directive,
  type DirectiveStream,
  EVERY_HOST,
  type KeysBody,
  readDirective,
} from "../../common/wire/mod.ts";
import type { Store } from "../store/store.ts";
import { EVERYTHING, KEYS_VALIDITY_MS, keysNamed } from "./keys_named.ts";
import { keepStopKey, keptStopKey } from "./kept_stop_key.ts";
import {
  type Outbox,
  type Sent,
  sentOf,
  type SignOptions,
  type UnsignedContent,
} from "./outbox.ts";

/** What the stop key works with. */
export interface StopKeyParts {
  /** 32 hexadecimal digits. */
  readonly fleet: string;
  readonly store: Store;
  readonly outbox: Outbox;
  readonly clock: Clock;
}

/** What the hive knows of the stop key, and hands on of what its holders sign. */
export class StopKey {
  readonly #parts: StopKeyParts;

  /** @param parts Store and outbox. */
  constructor(parts: StopKeyParts) {
    this.#parts = parts;
  }

  /** What is published of the stop key; `undefined` = there is none yet. */
  async current(): Promise<StopKeyFacts | undefined> {
    return (await keptStopKey(this.#parts.store))?.facts;
  }

  /** One that the hive has taken and no agent heard of is named again. */
  async nameAgain(): Promise<void> {
    const { store, clock, outbox } = this.#parts;
    const kept = await keptStopKey(store);
    if (kept === undefined) return;
    const named = (await keysNamed(store, clock)).findLast(({ stop }) => stop !== null);
    const { facts: { publicKey: key }, signature } = kept;
    if (named?.stop?.key !== key) await outbox.send(...stopKeyOrder({ key, signature }, "hive"));
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
  async set(
    facts: StopKeyFacts,
    { signature, by }: { readonly signature: string | null; readonly by: string },
  ): Promise<Sent> {
    // Agents take a key from the one before it alone: none may be left out.
    await this.nameAgain();
    const { store, outbox } = this.#parts;
    return await outbox.inTurn(async () => {
      const before = await keptStopKey(store);
      await this.check(facts, signature);
      const signed = await outbox.signed(
        ...stopKeyOrder({ key: facts.publicKey, signature }, by),
      );
      const version = (before?.version ?? 0) + 1;
      if (!await keepStopKey(store, { facts, signature, version })) {
        throw new ImmuneError("FORBIDDEN", "Cannot take a stop key: another one came first");
      }
      await outbox.keep(signed);
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
  async check(facts: StopKeyFacts, signature: string | null): Promise<void> {
    const before = await this.current();
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
    await this.#parts.outbox.keep(row);
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
    const { fleet, store, clock } = this.#parts;
    const read = readDirective(bytes);
    if ("cause" in read) throw invalid(read.why);
    const { directive, stream, signed, signature } = read;
    const facts = await this.current();
    if (facts === undefined) throw invalid("there is no stop key");
    if (directive.kind !== "stop" || directive.fleet !== fleet) {
      throw invalid("it is no stop of this fleet");
    }
    if (directive.expiresMs <= clock.nowMs()) throw invalid("it is over already");
    const publicKey = Uint8Array.fromHex(facts.publicKey);
    if (!await verifySignature(publicKey, { purpose: "stop", bytes: signed, signature })) {
      throw invalid("the stop key did not sign it");
    }
    const after = { ...EVERYTHING, stop: directive.number - 1 };
    const kept = await store.directivesFor({ hostId: EVERY_HOST, after, nowMs: 0 });
    if (kept.some(({ number }) => number === directive.number)) throw invalid("it went out before");
    return { ...directive, stream };
  }

  /** Agents take another stop key only from the old one; so does the hive. */
  async #checkSuccession(
    { publicKey }: StopKeyFacts,
    { successor, signature }: { readonly successor: string; readonly signature: string | null },
  ): Promise<void> {
    const holds = signature !== null && await verifySignature(Uint8Array.fromHex(publicKey), {
      purpose: "stop key successor",
      bytes: stopKeySuccession(this.#parts.fleet, successor),
      signature: Uint8Array.fromHex(signature),
    });
    if (holds) return;
    throw new ImmuneError("FORBIDDEN", "Cannot take a stop key: there is one, which has to sign");
  }
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

function invalid(why: string): ImmuneError {
  return new ImmuneError("DIRECTIVE_INVALID", `Cannot hand this stop on: ${why}`);
}
