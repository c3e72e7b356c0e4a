import { assert, assertEquals } from "@std/assert";
import { FakeClock } from "../common/config/mod.ts";
import { BACKOFF_MAX_MS } from "../common/link/backoff.ts";
import { Rounds } from "./rounds.ts";

const EVERY_MS = 1000;

/** Rounds that can be made to fail, and how many there were. */
function scene(): { clock: FakeClock; rounds: Rounds; state: { count: number; fails: boolean } } {
  const clock = new FakeClock(0);
  const state = { count: 0, fails: false };
  const work = (): Promise<void> => {
    state.count++;
    return state.fails ? Promise.reject(new Error("busy")) : Promise.resolve();
  };
  return { clock, state, rounds: new Rounds({ work, everyMs: EVERY_MS, clock, log: () => {} }) };
}

/** Lets the time go by in steps of a round, each with what comes of it. */
async function pass({ clock }: ReturnType<typeof scene>, steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) {
    clock.advance(EVERY_MS);
    // The timer's round is under way; this is the end of it and of what it began.
    for (let turn = 0; turn < 8; turn++) await Promise.resolve();
  }
}

Deno.test("Rounds does its work again and again, and no more once it is disposed of", async () => {
  const made = scene();
  made.rounds.start();
  await pass(made, 5);
  assertEquals(made.state.count, 5);
  await made.rounds[Symbol.asyncDispose]();
  await pass(made, 5);
  assertEquals(made.state.count, 5);
});

Deno.test("Rounds comes less and less often while its work fails, and as before once it does not", async () => {
  const made = scene();
  made.state.fails = true;
  made.rounds.start();
  const steps = 10 * BACKOFF_MAX_MS / EVERY_MS;
  await pass(made, steps);
  assert(made.state.count < steps / 4, `${made.state.count} rounds`);
  assert(made.state.count >= 10, `${made.state.count} rounds`);
  made.state.fails = false;
  // At most a minute until the next.
  await pass(made, BACKOFF_MAX_MS / EVERY_MS);
  made.state.count = 0;
  await pass(made, 10);
  assertEquals(made.state.count, 10);
  await made.rounds[Symbol.asyncDispose]();
});
