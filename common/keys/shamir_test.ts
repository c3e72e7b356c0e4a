import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { ImmuneError } from "../config/errors.ts";
import { HOLDERS_MAX, joinShares, splitSecret } from "./shamir.ts";

const SEED = 11;

Deno.test("joinShares() gives the secret of the published test vector", async () => {
  // draft-mcgrew-tss-03, section 9: secret "test\0", 2 of 2, x = 1 and x = 2.
  const shares = ["b9fa07e185", "f5409b4511"].map((y, i) => Uint8Array.fromHex(`${y}0${i + 1}`));
  assertEquals(new TextDecoder().decode(await joinShares(shares)), "test\0");
  assertEquals(await joinShares(shares.toReversed()), await joinShares(shares));
});

const SHARING = fc.integer({ min: 2, max: HOLDERS_MAX }).chain((holders) =>
  fc.record({
    holders: fc.constant(holders),
    threshold: fc.integer({ min: 2, max: holders }),
    secret: fc.uint8Array({ minLength: 1, maxLength: 64 }),
  })
);

Deno.test("splitSecret(): any threshold of shares, in any order, give the secret", async () => {
  await fc.assert(
    fc.asyncProperty(SHARING, fc.infiniteStream(fc.nat()), async (sharing, numbers) => {
      const { secret, holders, threshold } = sharing;
      const shares = await splitSecret(secret, { holders, threshold });
      assertEquals(shares.length, holders);
      const shuffled = shares.map((share) => ({ share, at: numbers.next().value ?? 0 }))
        .sort((a, b) => a.at - b.at).map(({ share }) => share);
      assertEquals(await joinShares(shuffled.slice(0, threshold)), secret);
      assertEquals(await joinShares(shares), secret);
    }),
    { seed: SEED, numRuns: 200 },
  );
});

Deno.test("splitSecret(): x are distinct and not 0, and each sharing is another", async () => {
  const secret = new Uint8Array(32).fill(7);
  const shares = await splitSecret(secret, { holders: 10, threshold: 2 });
  const xs = new Set(shares.map((share) => share[32]));
  assertEquals([xs.size, xs.has(0)], [10, false]);
  assertNotEquals(shares, await splitSecret(secret, { holders: 10, threshold: 2 }));
});

Deno.test("joinShares(): one share too few says nothing about the secret", async () => {
  // With one too few, every byte is as likely as any other: here the first bytes of many sharings.
  const seen = new Set<number>();
  const secret = new Uint8Array(8).fill(0x5A);
  for (let round = 0; round < 200; round++) {
    const [a = secret, b = secret] = await splitSecret(secret, { holders: 5, threshold: 3 });
    for (const byte of await joinShares([a, b])) seen.add(byte);
  }
  assertEquals(seen.size > 240, true);
});

Deno.test("joinShares() refuses a share that comes twice, x = 0, other lengths, one alone", async () => {
  const [a = new Uint8Array(), b = new Uint8Array()] = await splitSecret(new Uint8Array(32));
  const zero = b.with(32, 0);
  for (const wrong of [[a], [], [a, a], [a, b, a], [a, zero], [a, b.subarray(1)]]) {
    const error = await assertRejects(() => joinShares(wrong), ImmuneError);
    assertEquals(error.code, "SHARE_INVALID");
  }
});

Deno.test("splitSecret() refuses numbers that do not hold", async () => {
  const wrong = [[1, 1], [11, 3], [5, 1], [5, 6], [5, 2.5], [NaN, 2]] as const;
  for (const [holders, threshold] of wrong) {
    await assertRejects(
      () => splitSecret(new Uint8Array(32), { holders, threshold }),
      ImmuneError,
    );
  }
});
