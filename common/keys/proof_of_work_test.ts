import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  CHALLENGE_BYTES_MAX,
  DIFFICULTY_MAX,
  provesWork,
  solveChallenge,
} from "./proof_of_work.ts";

const CHALLENGE = new TextEncoder().encode("a challenge of the test");
const EASY = 8;

Deno.test("solveChallenge() finds what provesWork() takes, for that challenge alone", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: CHALLENGE_BYTES_MAX }), (challenge) => {
      const solution = solveChallenge(challenge, EASY);
      assert(provesWork(challenge, { solution, difficulty: EASY }));
      assert(!provesWork(challenge, { solution, difficulty: 33 }));
    }),
    { numRuns: 20, seed: 3 },
  );
  const solution = solveChallenge(CHALLENGE, 12);
  const others = Array.from({ length: 20 }, (_, i) => new Uint8Array([...CHALLENGE, i]));
  // One in 4,096 by chance.
  assert(others.filter((each) => provesWork(each, { solution, difficulty: 12 })).length < 2);
});

Deno.test("provesWork() agrees with SHA-256 of another implementation", async () => {
  const solution = new Uint8Array(8);
  const label = new TextEncoder().encode("immune proof of work 1\n");
  for (let i = 0; i < 300; i++) {
    solution[0] = i;
    solution[1] = i >> 8;
    const bytes = new Uint8Array([...label, ...CHALLENGE, ...solution]);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const zeros = [...hash].map((byte) => byte.toString(2).padStart(8, "0")).join("").indexOf("1");
    for (const difficulty of [0, 1, 4, zeros, zeros + 1]) {
      assertEquals(provesWork(CHALLENGE, { solution, difficulty }), zeros >= difficulty);
    }
  }
});

Deno.test("provesWork() refuses solutions and challenges of another length", () => {
  for (const length of [0, 7, 9, 64]) {
    assert(!provesWork(CHALLENGE, { solution: new Uint8Array(length), difficulty: 0 }));
  }
  const solution = new Uint8Array(8);
  assert(!provesWork(new Uint8Array(CHALLENGE_BYTES_MAX + 1), { solution, difficulty: 0 }));
});

Deno.test("solveChallenge() does not work for more than anybody may ask for", () => {
  for (const difficulty of [DIFFICULTY_MAX + 1, 256, -1, NaN]) {
    assertThrows(() => solveChallenge(CHALLENGE, difficulty), RangeError);
  }
  assertThrows(() => solveChallenge(new Uint8Array(CHALLENGE_BYTES_MAX + 1), 0), RangeError);
});
