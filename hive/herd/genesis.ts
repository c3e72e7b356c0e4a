import { Buffer } from "node:buffer";
import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import * as z from "zod";
import { ImmuneError } from "../../common/config/errors.ts";
import { jsonOf } from "../../common/text/json.ts";

/** Most agents of a genesis set. */
export const GENESIS_AGENTS_MAX = 256;
/** Longest signed genesis set, in bytes. */
export const GENESIS_BYTES_MAX = 14 * 1024;
/** Stands before what is signed, so that no other signature of the key can stand for one. */
const LABEL = "immune genesis set 1\n";

const CONTENT = z.strictObject({
  number: z.int().positive(),
  agents: z.array(z.uuid()).min(1).max(GENESIS_AGENTS_MAX),
});
const SIGNED = z.strictObject({
  content: z.string(),
  publicKey: z.string().regex(/^[\w-]{43}$/),
  signature: z.string().regex(/^[\w-]{86}$/),
});

/** The agents that a fleet starts with. */
export interface Genesis {
  /** Counts up: an older set is not taken again. */
  readonly number: number;
  readonly agents: readonly string[];
}

/** A genesis set whose signature holds, and the key that it is of (Ed25519, base64url). */
export interface SignedGenesis extends Genesis {
  readonly publicKey: string;
}

/**
 * Signs a genesis set, in the operator's process.
 *
 * @param genesis Number and agents.
 * @param key The operator's Ed25519 key.
 * @returns Text for the hive.
 */
export function signGenesis({ number, agents }: Genesis, key: KeyObject): string {
  const content = JSON.stringify({ number, agents });
  const { x } = createPublicKey(key).export({ format: "jwk" });
  const signature = sign(null, new TextEncoder().encode(LABEL + content), key);
  return JSON.stringify({ content, publicKey: x, signature: signature.toString("base64url") });
}

/**
 * Reads a signed genesis set. Whose key it is remains to be seen.
 *
 * @param text As `signGenesis` gives it.
 * @returns The set and its key.
 * @throws {ImmuneError} `INPUT_MALFORMED` when it is none, or its signature does not hold.
 */
export function readGenesis(text: string): SignedGenesis {
  if (text.length > GENESIS_BYTES_MAX) throw malformed(`it is over ${GENESIS_BYTES_MAX} bytes`);
  const signed = SIGNED.safeParse(jsonOf(text)).data;
  if (signed === undefined) throw malformed("it has not the members of one");
  const { content, publicKey, signature } = signed;
  if (!holds({ content, publicKey, signature })) throw malformed("its signature does not hold");
  const genesis = CONTENT.safeParse(jsonOf(content)).data;
  if (genesis === undefined) throw malformed("what is signed is no set of agents");
  return { ...genesis, publicKey };
}

function holds({ content, publicKey, signature }: z.infer<typeof SIGNED>): boolean {
  const bytes = new TextEncoder().encode(LABEL + content);
  try {
    const jwk = { kty: "OKP", crv: "Ed25519", x: publicKey };
    const key = createPublicKey({ key: jwk, format: "jwk" });
    return verify(null, bytes, key, Buffer.from(signature, "base64url"));
  } catch {
    // 32 bytes that are no point of the curve.
    return false;
  }
}

function malformed(why: string): ImmuneError {
  return new ImmuneError("INPUT_MALFORMED", `Cannot take the genesis set: ${why}`);
}
