import { assertEquals } from "@std/assert";
import { correlations, hit } from "./_rules_test_support.ts";
import { Correlator } from "./correlator.ts";
import { Sightings } from "./first_seen.ts";

const DAY_MS = 86_400_000;
const WEEK = { spanMs: 7 * DAY_MS };

Deno.test("Sightings.see() is true for what was not seen within the time span before", () => {
  const sightings = new Sightings();
  const see = (group: string, day: number) =>
    sightings.see([group], { ...WEEK, timeMs: day * DAY_MS });
  assertEquals([see("a", 0), see("a", 1), see("b", 1)], [true, false, true]);
  assertEquals([see("a", 8), see("a", 7), see("a", 15.01)], [false, false, true]);
});

Deno.test("Sightings.see() keeps apart groups whose values read the same in a row", () => {
  const sightings = new Sightings();
  const see = (...group: readonly string[]) => sightings.see(group, { ...WEEK, timeMs: 0 });
  assertEquals([see("ab", "c"), see("a", "bc"), see("a", "bc")], [true, true, false]);
});

Deno.test("Sightings forgets what was seen least recently, counted", () => {
  const sightings = new Sightings(2);
  const see = (group: string, timeMs: number) => sightings.see([group], { ...WEEK, timeMs });
  see("a", 0);
  see("b", 1);
  see("a", 2);
  see("c", 3);
  assertEquals([sightings.size, sightings.evicted], [2, 1]);
  assertEquals([see("a", 4), see("b", 5)], [false, true]);
});

Deno.test("Sightings.takeNews() has what is new, and later sightings now and then", () => {
  const sightings = new Sightings();
  const see = (timeMs: number) => sightings.see(["a"], { spanMs: 6400, timeMs });
  const news = () => sightings.takeNews().map(({ timeMs }) => timeMs);
  see(1000);
  assertEquals([news(), news()], [[1000], []]);
  for (let timeMs = 1010; timeMs < 1100; timeMs += 10) see(timeMs);
  assertEquals(news(), []);
  see(1100);
  assertEquals(news(), [1100]);
});

Deno.test("Sightings.restore() remembers what was seen before a restart", () => {
  const before = new Sightings();
  before.see(["a"], { ...WEEK, timeMs: 0 });
  const after = new Sightings();
  for (const sighting of before.all()) after.restore(sighting);
  assertEquals(after.see(["a"], { ...WEEK, timeMs: DAY_MS }), false);
  assertEquals(after.takeNews().length, 1);
});

Deno.test("a first_seen correlation matches a group that is new", () => {
  const rules = correlations({
    correlation: { type: "first_seen", rules: ["a"], "group-by": ["Image"], timespan: "7d" },
  });
  const sightings = new Sightings();
  const seen = (correlator: Correlator, day: number, Image: string) =>
    correlator.take(hit("a", day * DAY_MS, { Image })).map(({ group }) => group[0]?.value);
  const first = new Correlator(rules, { sightings });
  assertEquals([seen(first, 0, "/a"), seen(first, 1, "/a"), seen(first, 1, "/b")], [
    ["/a"],
    [],
    ["/b"],
  ]);
  assertEquals(seen(new Correlator(rules, { sightings }), 8, "/a"), []);
});
