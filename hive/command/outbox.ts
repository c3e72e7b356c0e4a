import type { Clock } from "../../common/config/mod.ts";
import { DIRECTIVE_KINDS, type DirectiveStream } from "../../common/wire/mod.ts";
import type { Published } from "../intake/downlinks.ts";
import type { DirectiveRow } from "../store/directive_store.ts";
import type { Store } from "../store/store.ts";
import type { UnsignedDirective } from "./messages.ts";
import type { SignerClient } from "./signer_client.ts";

/** A directive that went out. */
export interface Sent {
  readonly stream: DirectiveStream;
  readonly number: number;
  /** Unix time in milliseconds. */
  readonly expiresMs: number;
}

/** What a directive says, without its head. */
export type UnsignedContent =
  & Pick<UnsignedDirective, "kind" | "body">
  & (UnsignedDirective extends infer D
    ? D extends { readonly kind: infer K; readonly body: infer B } ? { kind: K; body: B } : never
    : never);

/** For whom a directive is, and for how long. */
export interface SignOptions {
  /** Host id, or zeros for every host. */
  readonly target: string;
  readonly validMs: number;
  /** Who wants it, for people. */
  readonly by: string;
}

/** What an outbox works with. */
export interface OutboxParts {
  /** 32 hexadecimal digits. */
  readonly fleet: string;
  readonly store: Pick<Store, "nextDirectiveNumber" | "addDirective">;
  readonly signer: Pick<SignerClient, "sign">;
  /** Sends to those who are connected. */
  readonly publish: (published: Published) => void;
  readonly clock: Clock;
}

/** Has directives numbered, signed, kept and sent, one after the other. */
export class Outbox {
  readonly #parts: OutboxParts;
  #queue: Promise<unknown> = Promise.resolve();

  /** @param parts Store, signer and way out. */
  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** Signs a directive and sends it, after those before it. */
  send(content: UnsignedContent, options: SignOptions): Promise<Sent> {
    return this.inTurn(async () => {
      const signed = await this.signed(content, options);
      await this.keep(signed);
      return sentOf(signed);
    });
  }

  /** The next directive of its stream, signed and not yet sent; to be called in turn. */
  async signed(
    content: UnsignedContent,
    { target, validMs, by }: SignOptions,
  ): Promise<DirectiveRow> {
    const { store, signer, fleet, clock } = this.#parts;
    const { stream } = DIRECTIVE_KINDS[content.kind];
    const number = await store.nextDirectiveNumber(stream);
    const issuedMs = clock.nowMs();
    const expiresMs = issuedMs + validMs;
    const head = { fleet, target, number, issuedMs, expiresMs };
    const bytes = await signer.sign({ ...head, ...content });
    return { stream, number, kind: content.kind, target, issuedMs, expiresMs, by, bytes };
  }

  /** Sends one. On the disk first: an agent that comes back asks for what it missed. */
  async keep(row: DirectiveRow): Promise<void> {
    await this.add(row);
    this.publish(row);
  }

  /** Puts one on the disk, to be sent by `publish`. */
  add(row: DirectiveRow): Promise<void> {
    return this.#parts.store.addDirective(row);
  }

  /** Sends what is on the disk to those who are connected. */
  publish(row: DirectiveRow): void {
    this.#parts.publish(row);
  }

  /** One at a time: agents refuse a number behind a later one. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }
}

/** What is said of a directive that went out. */
export function sentOf({ stream, number, expiresMs }: DirectiveRow): Sent {
  return { stream, number, expiresMs };
}
