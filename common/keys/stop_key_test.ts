import { assert, assertEquals, assertRejects } from "@std/assert";
import { ImmuneError } from "../config/errors.ts";
import { verifySignature } from "./ed25519.ts";
import { readShare, shareText } from "./share.ts";
import { checkShare, makeStopKey, withStopKey } from "./stop_key.ts";

const BYTES = new Uint8Array([1, 2, 3]);
const made = await makeStopKey();

async function refused(shares: readonly (string | undefined)[], why: RegExp): Promise<void> {
  const error = await assertRejects(
    () =>
      withStopKey(made.facts, {
        shares: shares.map((share) => share ?? ""),
        use: () => Promise.reject(new Error("the key was used")),
      }),
    ImmuneError,
  );
  assertEquals(error.code, "SHARE_INVALID");
  assert(why.test(error.message), error.message);
  for (const share of made.shares) assert(!error.message.includes(share.slice(20, 40)));
}

Deno.test("withStopKey() signs with any three of five shares", async () => {
  const [a = "", b = "", c = "", d = "", e = ""] = made.shares;
  for (const shares of [[a, b, c], [e, c, a], [b, d, e], [a, b, c, d, e]]) {
    const signature = await withStopKey(made.facts, {
      shares,
      use: (key) => key.sign("stop", BYTES),
    });
    const publicKey = Uint8Array.fromHex(made.facts.publicKey);
    assert(await verifySignature(publicKey, { purpose: "stop", bytes: BYTES, signature }));
  }
});

Deno.test("withStopKey() refuses two of five, one twice, and another sharing's share", async () => {
  const [a = "", b = ""] = made.shares;
  const other = await makeStopKey();
  await refused([a, b], /2 shares of 3/);
  await refused([a, b, b], /comes twice/);
  await refused([a, b, other.shares[2]], /another sharing/);
  await refused([], /0 shares of 3/);
});

Deno.test("withStopKey() refuses a forged share by its hash before anything is joined", async () => {
  const [a = "", b = "", c = ""] = made.shares;
  const genuine = readShare(c);
  for (const forged of [{ value: genuine.value.with(5, 1) }, { holder: 4 }, { threshold: 2 }]) {
    await refused([a, b, shareText({ ...genuine, ...forged })], /not the one that was given/);
  }
});

Deno.test("withStopKey() refuses a key that is not the published one", async () => {
  const other = await makeStopKey();
  const facts = { ...made.facts, publicKey: other.facts.publicKey };
  const error = await assertRejects(
    () => withStopKey(facts, { shares: made.shares, use: () => Promise.resolve() }),
    ImmuneError,
  );
  assert(/another one/.test(error.message));
});

Deno.test("checkShare() takes each holder's own share", () => {
  assertEquals(made.shares.map((text) => checkShare(made.facts, text).holder), [1, 2, 3, 4, 5]);
});
