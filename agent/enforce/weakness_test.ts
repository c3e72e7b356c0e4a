import { assertEquals } from "@std/assert";
import type { TierTally } from "../../common/wire/tier_tally.ts";
import { FAILED_QUIET_MS, FailedActs, type LeftOut, leftWeaknesses } from "./weakness.ts";

const failing = (failed: number): readonly TierTally[] => [
  { tier: "lsm", judged: 9, refused: 0, monitored: 0, capped: 0, failed },
];

Deno.test("leftWeaknesses() names the tree and how many, and nothing that a program serves", () => {
  const left: readonly LeftOut[] = [
    { what: "directories", count: 6, path: "/root/.ssh/", reason: "too many" },
    { what: "namespaces", count: 2, path: "/proc/7", reason: "over 256" },
    { what: "places", count: 1, path: "/root/.netrc", reason: "Invalid argument" },
    { what: "served", count: 1, path: "/run/user/0/doc", reason: "FUSE" },
  ];
  assertEquals(leftWeaknesses(left), [
    {
      object: "tree /root/.ssh/",
      detail: "fanotify is not asked about 6 of its directories or more: too many",
    },
    {
      object: "namespaces",
      detail: '"/proc/7": fanotify is not asked about it: over 256, and 1 more',
    },
    {
      object: "place /root/.netrc",
      detail: "fanotify is not asked about it: Invalid argument",
    },
  ]);
});

Deno.test("FailedActs tells a tier once it lets acts go, until it was quiet for long", () => {
  const acts = new FailedActs();
  const objects = (failed: number, nowMs: number): readonly string[] =>
    acts.take(failing(failed), nowMs).map(({ object }) => object);
  assertEquals(objects(0, 0), []);
  assertEquals(objects(3, 1000), ["tier lsm"]);
  assertEquals(objects(3, FAILED_QUIET_MS), ["tier lsm"]);
  assertEquals(objects(4, FAILED_QUIET_MS + 500), ["tier lsm"]);
  assertEquals(objects(4, FAILED_QUIET_MS * 2 + 500), []);
  assertEquals(objects(5, FAILED_QUIET_MS * 2 + 600), ["tier lsm"]);
  assertEquals(acts.take([], FAILED_QUIET_MS * 2 + 700).length, 1);
});
