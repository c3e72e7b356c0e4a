import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Random } from "../support/random.ts";
import { mutate } from "./mutate.ts";
import { fuzz, INPUT_MS_MAX, targetNamed, targetNames } from "./run.ts";
import { plainSubject } from "./target.ts";

/** The short form; `deno task test:fuzz` takes a million. */
const INPUTS = 1500;
const SEED = 7;

for (const name of targetNames()) {
  Deno.test(`fuzz: ${name} takes damaged input without a crash, hang or fault`, async () => {
    assertEquals(await fuzz(await targetNamed(name), { inputs: INPUTS, seed: SEED }), undefined);
  });
}

Deno.test("fuzz() finds what throws and what is wrong, and the seed makes it again", async () => {
  const seeds = [new Uint8Array([1, 2, 3, 4])];
  const target = (problem: () => string | undefined): Parameters<typeof fuzz>[0] => ({
    open: () => plainSubject(seeds, (input) => input.length > 6 ? problem() : undefined),
  });
  const thrown = target(() => {
    throw new TypeError("no");
  });
  const options = { inputs: 200, seed: SEED };
  const found = await fuzz(thrown, options);
  assert(found?.problem.startsWith("it threw TypeError: no"));
  assertEquals(await fuzz(target(() => "wrong"), options), { ...found, problem: "wrong" });
  assertEquals(await fuzz(target(() => undefined), options), undefined);
});

Deno.test("fuzz() finds what is slow each time, not what was slow once", async () => {
  const seeds = [new Uint8Array([1, 2, 3, 4])];
  for (const [slowTimes, isFound] of [[1, false], [99, true]] as const) {
    let times = 0;
    const target = {
      open: () =>
        plainSubject(seeds, () => {
          if (++times > slowTimes) return undefined;
          const end = performance.now() + INPUT_MS_MAX + 1;
          while (performance.now() < end);
          return undefined;
        }),
    };
    const found = await fuzz(target, { inputs: 2, seed: SEED });
    assertEquals(/^it took \d+ ms$/.test(found?.problem ?? ""), isFound);
  }
});

Deno.test("mutate() makes the same inputs of the same seed, and others of another", () => {
  const seeds = [new TextEncoder().encode('{"name":"value","list":[1,2,3]}')];
  const made = (seed: number): string[] => {
    const random = new Random(seed);
    return Array.from({ length: 50 }, () => mutate(seeds, random).toHex());
  };
  assertEquals(made(1), made(1));
  assertNotEquals(made(1), made(2));
  assert(new Set(made(1)).size > 40);
});
