import { Buffer } from "node:buffer";
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** What an authenticator is made to do wrong; nothing by default. */
export interface Forged {
  /** Origin that the browser names. */
  readonly origin?: string;
  /** Host that the answer is for. */
  readonly rpId?: string;
  /** Challenge that is answered. */
  readonly challenge?: string;
  /** `webauthn.get` or `webauthn.create`. */
  readonly type?: string;
  /** Signature counter. Default: one more each time. */
  readonly counter?: number;
  /** False: the person was not verified. */
  readonly isVerified?: boolean;
  /** Text of the account's id. */
  readonly userHandle?: string;
  /** Changes the signature. */
  readonly signature?: (bytes: Uint8Array) => Uint8Array;
}

const [PRESENT, VERIFIED, ATTESTED] = [0x01, 0x04, 0x40];

/** An authenticator in software, which also forges (WebAuthn Level 3, 6 and 7). */
export class TestAuthenticator {
  readonly #id = randomBytes(16);
  readonly #privateKey: KeyObject;
  readonly #x: Uint8Array;
  readonly #y: Uint8Array;
  readonly #site: { readonly origin: string; readonly host: string };
  readonly #account: string;
  #counter = 0;

  /**
   * @param site Where its passkey is for.
   * @param account Id of the account.
   */
  constructor(site: { readonly origin: string; readonly host: string }, account: string) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { x = "", y = "" } = publicKey.export({ format: "jwk" });
    this.#privateKey = privateKey;
    this.#x = Buffer.from(x, "base64url");
    this.#y = Buffer.from(y, "base64url");
    this.#site = site;
    this.#account = account;
  }

  /** The number that is its private key. */
  get secret(): Uint8Array {
    return Buffer.from(this.#privateKey.export({ format: "jwk" }).d ?? "", "base64url");
  }

  /**
   * Makes its passkey.
   *
   * @param challenge Of the hive's options.
   * @param forged What is wrong with the answer.
   */
  create(challenge: string, forged: Forged = {}): {
    readonly id: string;
    readonly rawId: string;
    readonly type: "public-key";
    readonly clientExtensionResults: Record<string, never>;
    readonly response: {
      readonly clientDataJSON: string;
      readonly attestationObject: string;
      readonly transports: string[];
    };
  } {
    const key = concat([
      [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 32],
      this.#x,
      [0x22, 0x58, 32],
      this.#y,
    ]);
    const attested = concat([new Uint8Array(16), [0, this.#id.length], this.#id, key]);
    const data = concat([this.#head(forged, ATTESTED), attested]);
    const attestationObject = concat([
      [0xa3, 0x63, ...text("fmt"), 0x64, ...text("none"), 0x67, ...text("attStmt"), 0xa0],
      [0x68, ...text("authData"), 0x59, data.length >> 8, data.length & 255],
      data,
    ]);
    const clientData = this.#clientData("webauthn.create", { challenge, ...forged });
    return {
      ...this.#named(),
      response: {
        clientDataJSON: base64url(clientData),
        attestationObject: base64url(attestationObject),
        transports: ["internal"],
      },
    };
  }

  /**
   * Signs in by its passkey.
   *
   * @param challenge Of the hive's options.
   * @param forged What is wrong with the answer.
   */
  get(challenge: string, forged: Forged = {}): {
    readonly id: string;
    readonly rawId: string;
    readonly type: "public-key";
    readonly clientExtensionResults: Record<string, never>;
    readonly response: {
      readonly clientDataJSON: string;
      readonly authenticatorData: string;
      readonly signature: string;
      readonly userHandle: string;
    };
  } {
    const data = this.#head(forged, 0);
    const clientData = this.#clientData("webauthn.get", { challenge, ...forged });
    const signed = concat([data, createHash("sha256").update(clientData).digest()]);
    const { signature = (bytes: Uint8Array) => bytes, userHandle = this.#account } = forged;
    return {
      ...this.#named(),
      response: {
        clientDataJSON: base64url(clientData),
        authenticatorData: base64url(data),
        signature: base64url(signature(sign("sha256", signed, this.#privateKey))),
        userHandle: base64url(Uint8Array.from(text(userHandle))),
      },
    };
  }

  #named(): {
    readonly id: string;
    readonly rawId: string;
    readonly type: "public-key";
    readonly clientExtensionResults: Record<string, never>;
  } {
    const id = base64url(this.#id);
    return { id, rawId: id, type: "public-key", clientExtensionResults: {} };
  }

  /** Hash of the host, flags, counter. */
  #head({ rpId = this.#site.host, isVerified = true, counter }: Forged, more: number): Uint8Array {
    const count = counter ?? ++this.#counter;
    const flags = PRESENT | (isVerified ? VERIFIED : 0) | more;
    const host = createHash("sha256").update(rpId).digest();
    return concat([host, [flags, 0, 0, count >> 8, count & 255]]);
  }

  #clientData(
    type: string,
    forged: Forged & { readonly challenge: string },
  ): Uint8Array {
    const { origin = this.#site.origin, challenge } = forged;
    const data = { type: forged.type ?? type, challenge, origin, crossOrigin: false };
    return Uint8Array.from(text(JSON.stringify(data)));
  }
}

function text(value: string): number[] {
  return [...new TextEncoder().encode(value)];
}

function base64url(bytes: Uint8Array): string {
  return Uint8Array.from(bytes).toBase64({ alphabet: "base64url", omitPadding: true });
}

function concat(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
