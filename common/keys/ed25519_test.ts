import { assertEquals, assertRejects } from "@std/assert";
import { newSeed, type Purpose, signingKey, verifySignature } from "./ed25519.ts";

const BYTES = new TextEncoder().encode("bytes");

Deno.test("signingKey() has the public half that RFC 8032 gives for its seed", async () => {
  // Section 7.1, test 1.
  const seed = Uint8Array.fromHex(
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
  );
  const { publicKey } = await signingKey(seed);
  assertEquals(
    publicKey.toHex(),
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  );
});

Deno.test("verifySignature() takes the key's own signature and no other", async () => {
  const key = await signingKey(newSeed());
  const other = await signingKey(newSeed());
  const signature = await key.sign("directive", BYTES);
  const holds = (
    publicKey: Uint8Array<ArrayBuffer>,
    change: Partial<{ purpose: Purpose; bytes: Uint8Array; signature: Uint8Array<ArrayBuffer> }>,
  ): Promise<boolean> =>
    verifySignature(publicKey, { purpose: "directive", bytes: BYTES, signature, ...change });
  assertEquals(await holds(key.publicKey, {}), true);
  assertEquals(await holds(other.publicKey, {}), false);
  assertEquals(await holds(key.publicKey, { purpose: "stop" }), false);
  assertEquals(await holds(key.publicKey, { bytes: BYTES.subarray(1) }), false);
  assertEquals(await holds(key.publicKey, { signature: new Uint8Array(64) }), false);
  assertEquals(await holds(key.publicKey, { signature: signature.slice(1) }), false);
  assertEquals(await holds(new Uint8Array(31), {}), false);
});

Deno.test("signingKey() refuses a seed of another length", async () => {
  await assertRejects(() => signingKey(new Uint8Array(31)), RangeError);
});
