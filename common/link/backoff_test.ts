import { assert, assertEquals } from "@std/assert";
import { Backoff, BACKOFF_FIRST_MS, BACKOFF_MAX_MS } from "./backoff.ts";

Deno.test("Backoff.next() doubles its bound from 1 s up to 60 s and stays there", () => {
  const backoff = new Backoff(() => 0.999_999_999);
  const waits = Array.from({ length: 2000 }, () => Math.round(backoff.next()));
  assertEquals(waits.slice(0, 8), [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  assertEquals(waits.at(-1), BACKOFF_MAX_MS);
  backoff.reset();
  assertEquals(Math.round(backoff.next()), BACKOFF_FIRST_MS);
});

Deno.test("Backoff.next() draws from the whole range, so that many agents do not come at once", () => {
  const waits = Array.from({ length: 1000 }, () => new Backoff().next());
  assert(Math.min(...waits) < 100 && Math.max(...waits) > 900);
  assert(waits.every((wait) => wait >= 0 && wait <= BACKOFF_FIRST_MS));
});
