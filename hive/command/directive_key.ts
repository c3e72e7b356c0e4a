import type { Clock } from "../../common/config/mod.ts";
import { EVERY_HOST } from "../../common/wire/mod.ts";
import type { Store } from "../store/store.ts";
import { KEYS_VALIDITY_MS, keysNamed } from "./keys_named.ts";
import { type Outbox, type Sent, sentOf } from "./outbox.ts";
import type { SignerClient } from "./signer_client.ts";

/** What the directive key works with. */
export interface DirectiveKeyParts {
  readonly outbox: Outbox;
  readonly store: Pick<Store, "directivesFor">;
  readonly signer: Pick<SignerClient, "successor" | "succeed">;
  readonly clock: Clock;
}

/** The key that signs orders, and how another one takes its place. */
export class DirectiveKey {
  readonly #parts: DirectiveKeyParts;
  #publicKey: string;

  /**
   * @param publicKey Public half of the one in force, 64 hexadecimal digits.
   * @param parts Outbox, store and signer.
   */
  constructor(publicKey: string, parts: DirectiveKeyParts) {
    this.#publicKey = publicKey;
    this.#parts = parts;
  }

  /** Public half of the one in force, 64 hexadecimal digits. */
  get publicKey(): string {
    return this.#publicKey;
  }

  /**
   * Puts its successor in force: agents hear of it in the old one's name first.
   *
   * @param by Who wants it.
   */
  rotate(by: string): Promise<Sent> {
    const { outbox, signer } = this.#parts;
    return outbox.inTurn(async () => {
      const directive = (await signer.successor()).toHex();
      const signed = await outbox.signed(
        { kind: "keys", body: { directive, stop: null } },
        { target: EVERY_HOST, validMs: KEYS_VALIDITY_MS, by },
      );
      await outbox.add(signed);
      this.#publicKey = (await signer.succeed()).toHex();
      outbox.publish(signed);
      return sentOf(signed);
    });
  }

  /** A successor that agents may have heard of already takes its place. */
  async endRotation(): Promise<void> {
    const { signer, store, clock } = this.#parts;
    const named = (await keysNamed(store, clock)).findLast(({ directive }) => directive !== null);
    if (named === undefined || named.directive === this.#publicKey) return;
    if ((await signer.successor()).toHex() === named.directive) {
      this.#publicKey = (await signer.succeed()).toHex();
    }
  }
}
