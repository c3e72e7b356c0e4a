/** Bytes of a seed and of a public key (RFC 8032, section 5.1.5). */
export const KEY_BYTES = 32;
/** Bytes of a signature (RFC 8032, section 5.1.6). */
export const SIGNATURE_BYTES = 64;

/** What PKCS #8 puts before a seed (RFC 8410, section 7). */
const PKCS8_PREFIX = Uint8Array.fromHex("302e020100300506032b657004220420");
const ALGORITHM = "Ed25519";
const UTF8 = new TextEncoder();

/**
 * What a signature is for. It is signed with the bytes, so that a signature for one purpose is none
 * for another.
 */
export type Purpose = "directive" | "canary" | "stop" | "stop key successor";

/** A key that signs and does not leave again. */
export interface SigningKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /**
   * Signs bytes for a purpose.
   *
   * @returns 64 bytes.
   */
  sign(purpose: Purpose, bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
}

/** A new seed: 32 random bytes. Whoever has it has the key. */
export function newSeed(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(KEY_BYTES));
}

/**
 * The signing key of a seed.
 *
 * @param seed 32 bytes; not kept, the caller wipes it.
 * @returns The key.
 * @throws {RangeError} when the seed has another length.
 */
export async function signingKey(seed: Uint8Array): Promise<SigningKey> {
  if (seed.length !== KEY_BYTES) throw new RangeError(`A seed has ${KEY_BYTES} bytes`);
  const pkcs8 = new Uint8Array(PKCS8_PREFIX.length + KEY_BYTES);
  pkcs8.set(PKCS8_PREFIX);
  pkcs8.set(seed, PKCS8_PREFIX.length);
  try {
    const key = await crypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, false, ["sign"]);
    // The public half comes with the private one only when that may be exported.
    const open = await crypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, true, ["sign"]);
    const { x = "" } = await crypto.subtle.exportKey("jwk", open);
    const publicKey = Uint8Array.fromBase64(x, { alphabet: "base64url" });
    return {
      publicKey,
      sign: async (purpose, bytes) =>
        new Uint8Array(await crypto.subtle.sign(ALGORITHM, key, labelled(purpose, bytes))),
    };
  } finally {
    pkcs8.fill(0);
  }
}

/** What is to be checked. */
export interface Signed {
  readonly purpose: Purpose;
  readonly bytes: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array<ArrayBuffer>;
}

/**
 * Whether a signature is the key's, for this purpose and these bytes.
 *
 * @param publicKey 32 bytes.
 * @param signed Bytes, purpose and signature.
 * @returns False for anything else, a key or signature of another length too.
 */
export async function verifySignature(
  publicKey: Uint8Array<ArrayBuffer>,
  { purpose, bytes, signature }: Signed,
): Promise<boolean> {
  if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  try {
    const key = await crypto.subtle.importKey("raw", publicKey, ALGORITHM, false, ["verify"]);
    return await crypto.subtle.verify(ALGORITHM, key, signature, labelled(purpose, bytes));
  } catch {
    return false;
  }
}

/** The bytes behind a line that says what they are signed for. */
function labelled(purpose: Purpose, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const label = UTF8.encode(`sentinel-immune ${purpose} v1\n`);
  const all = new Uint8Array(label.length + bytes.length);
  all.set(label);
  all.set(bytes, label.length);
  return all;
}
