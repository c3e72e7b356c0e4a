import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { indicator, NOW_MS, TYPED } from "./_indicators_test_support.ts";
import { type Indicator, isExpired, makeIndicator } from "./indicator.ts";
import { PER_VALUE_MAX, SOURCES_MAX } from "./limits.ts";
import { IndicatorSet } from "./set.ts";

const NOTHING = { added: 0, updated: 0, expired: 0, evicted: 0, refused: 0 };

function paths(count: number, listed: Parameters<typeof indicator>[0] = {}): Indicator[] {
  return Array.from({ length: count }, (_, i) => indicator({ value: `/tmp/${i}`, ...listed }));
}

Deno.test("IndicatorSet.add() replaces what the same source listed under the same id", () => {
  const set = new IndicatorSet();
  const first = indicator({ id: "1", firstSeenMs: NOW_MS - 5000, sightings: 9, title: "old" });
  assertEquals(set.add([first], NOW_MS), { ...NOTHING, added: 1 });
  const again = indicator({ id: "1", title: "new", sightings: 3 });
  const others = [indicator({ id: "2" }), indicator({ id: "1", source: "herd" })];
  assertEquals(set.add([again, ...others], NOW_MS), { ...NOTHING, added: 2, updated: 1 });
  assertEquals([...set.all()].find(({ id, source }) => id === "1" && source === "feed"), {
    ...again,
    firstSeenMs: first.firstSeenMs,
    sightings: 9,
  });
});

Deno.test("IndicatorSet.withdraw() takes back by source and id, and nothing of another source", () => {
  const set = new IndicatorSet();
  set.add([
    indicator({ source: "herd", id: "7", value: "/tmp/a" }),
    indicator({ source: "herd", id: "7", type: "ipv4", value: "192.0.2.1" }),
    indicator({ source: "herd", id: "8", value: "/tmp/a" }),
    indicator({ source: "feed", id: "7", value: "/tmp/a" }),
  ], NOW_MS);
  assertEquals(set.withdraw({ source: "herd", id: "7" }), 2);
  assertEquals([...set.all()].map(({ source, id }) => `${source} ${id}`), ["herd 8", "feed 7"]);
  assertEquals(set.withdraw({ source: "herd" }), 1);
  assertEquals(set.withdraw({ source: "nobody" }), 0);
  assertEquals([set.size, set.left.withdrawn, [...set.sources]], [1, 3, [["feed", 1]]]);
});

Deno.test("IndicatorSet.expire() takes out what is over, and adds none that is", () => {
  const set = new IndicatorSet();
  const over = indicator({ value: "/tmp/over", expiresMs: NOW_MS });
  assertEquals(set.add([over], NOW_MS), { ...NOTHING, expired: 1 });
  set.add(
    [indicator({ expiresMs: NOW_MS + 5000 }), indicator({ value: "/tmp/for_ever" })],
    NOW_MS,
  );
  assertEquals(set.expire(NOW_MS + 4999), 0);
  assertEquals([set.expire(NOW_MS + 5000), set.size, set.left.expired], [1, 1, 1]);
});

Deno.test("IndicatorSet makes room: a source that floods it loses its own, the soonest over", () => {
  const set = new IndicatorSet({ max: 10 });
  set.add(paths(4, { source: "herd" }), NOW_MS);
  const flood = Array.from(
    { length: 30 },
    (_, i) =>
      indicator({ value: `/flood/${i}`, source: "flood", expiresMs: NOW_MS + 1000 * (i + 1) }),
  );
  assertEquals(set.add(flood, NOW_MS), { ...NOTHING, added: 30, evicted: 24 });
  assertEquals([...set.sources], [["herd", 4], ["flood", 6]]);
  assertEquals(set.left.evicted, 24);
  assert(
    [...set.all()].every(({ value, source }) =>
      source === "herd" || Number(value.slice("/flood/".length)) >= 24
    ),
  );
});

Deno.test("IndicatorSet makes room in one pass, though all sources have the same count", () => {
  const set = new IndicatorSet({ max: 20_000 });
  for (const source of ["a", "b", "c", "d"]) {
    set.add(paths(10_000, { source }), NOW_MS);
  }
  assertEquals([...set.sources.values()], [5000, 5000, 5000, 5000]);
});

Deno.test("IndicatorSet lets what is over go before what is not", () => {
  const set = new IndicatorSet({ max: 3 });
  set.add([indicator({ value: "/old", expiresMs: NOW_MS + 1000, source: "small" })], NOW_MS);
  const came = set.add(paths(3), NOW_MS + 1000);
  assertEquals([came.added, came.expired, came.evicted], [3, 1, 0]);
});

Deno.test("IndicatorSet bounds the sources, and the entries that have one value", () => {
  const set = new IndicatorSet();
  const ids = Array.from({ length: PER_VALUE_MAX + 4 }, (_, i) => indicator({ id: `${i}` }));
  const came = set.add(ids, NOW_MS);
  assertEquals([came.added, came.evicted, set.left.evicted], [PER_VALUE_MAX, 4, 4]);
  const many = Array.from(
    { length: SOURCES_MAX + 3 },
    (_, i) => indicator({ source: `s${i}`, value: `/tmp/${i}` }),
  );
  assertEquals(set.add(many, NOW_MS).refused, 4);
});

Deno.test("IndicatorSet agrees with a list, whatever is added, withdrawn and expired", () => {
  const step = fc.oneof(
    fc.record({
      act: fc.constant("add" as const),
      typed: TYPED,
      source: fc.constantFrom("a", "b"),
      id: fc.constantFrom("", "1", "2"),
      lifeMs: fc.option(fc.integer({ min: 1, max: 20 }).map((s) => s * 1000), { nil: undefined }),
    }),
    fc.record({
      act: fc.constant("withdraw" as const),
      source: fc.constantFrom("a", "b"),
      id: fc.constantFrom(undefined, "1", "2"),
    }),
    fc.record({ act: fc.constant("expire" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const set = new IndicatorSet();
      let list: Indicator[] = [];
      let nowMs = NOW_MS;
      const name = (each: Indicator): string =>
        [each.type, each.value, each.source, each.id].join("\n");
      for (const each of steps) {
        nowMs += 1000;
        if (each.act === "expire") {
          set.expire(nowMs);
          list = list.filter((one) => !isExpired(one, nowMs));
        } else if (each.act === "withdraw") {
          const { source, id } = each;
          set.withdraw(id === undefined ? { source } : { source, id });
          list = list.filter((one) => one.source !== source || (id !== undefined && one.id !== id));
        } else {
          const { typed, source, id, lifeMs } = each;
          const expiresMs = lifeMs === undefined ? undefined : nowMs + lifeMs;
          const made = makeIndicator({ ...typed, source, id, expiresMs }, nowMs);
          if (typeof made === "string") continue;
          set.add([made], nowMs);
          list = [...list.filter((one) => name(one) !== name(made)), made];
        }
      }
      assertEquals([...set.all()].map(name).sort(), list.map(name).sort());
    }),
    { numRuns: 200 },
  );
});
