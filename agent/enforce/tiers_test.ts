import { assert, assertEquals } from "@std/assert";
import { parseEnforcement } from "./parse.ts";
import type { Entry } from "./policy.ts";
import { chooseTiers, holdOf } from "./tiers.ts";
import { type Tier, type TierTrial, TRIALS } from "./trial.ts";

function host(...tiers: readonly Tier[]): readonly TierTrial[] {
  return TRIALS.map(({ tier, action }) => ({
    tier,
    action,
    state: tiers.includes(tier) ? "works" : "refused",
    reason: "",
  }));
}

function entries(...texts: readonly string[]): readonly Entry[] {
  const policy = texts.map((text, i) => `[[entry]]\nname = "${i}"\n${text}\n`).join("");
  return parseEnforcement(policy, { file: "t", homes: [] }).entries;
}

const EXEC = 'action = "exec"\npaths = ["/a"]';
const OPEN = 'action = "open"\npaths = ["/a"]';
const CONNECT = 'action = "connect"\nports = [1]';
const HASH = `action = "exec"\nsha256 = ["${"0".repeat(64)}"]`;
const WITHOUT_LSM = host("cgroup", "fanotify", "signal");
const ALL = host("lsm", "cgroup", "fanotify", "signal");

Deno.test("chooseTiers() takes the strongest tier of each action, and what stands behind it", () => {
  assertEquals(chooseTiers(WITHOUT_LSM, entries(EXEC)), ["fanotify", "signal"]);
  assertEquals(chooseTiers(ALL, entries(EXEC)), ["lsm"]);
  assertEquals(chooseTiers(ALL, entries(HASH)), ["lsm", "fanotify"]);
  assertEquals(chooseTiers(ALL, entries(CONNECT)), ["lsm", "cgroup"]);
  assertEquals(chooseTiers(ALL, entries(OPEN)), ["lsm"]);
  assertEquals(chooseTiers(WITHOUT_LSM, entries(OPEN, CONNECT)), ["cgroup", "fanotify"]);
  assertEquals(chooseTiers(host(), entries(EXEC, OPEN, CONNECT)), []);
});

Deno.test("holdOf() says what does not hold", () => {
  const [hash, written, open] = entries(HASH, `${OPEN}\naccess = ["write"]`, OPEN);
  assert(hash !== undefined && written !== undefined && open !== undefined);
  assertEquals(holdOf(hash, host("signal")).tiers, []);
  assert(holdOf(hash, host("signal")).limits.some((line) => line.includes("first run")));
  assertEquals(holdOf(hash, WITHOUT_LSM).tiers, ["fanotify", "signal"]);
  assertEquals(holdOf(written, WITHOUT_LSM).tiers, []);
  assertEquals(holdOf(written, ALL), { tiers: ["lsm"], limits: [] });
  assertEquals(holdOf(open, WITHOUT_LSM), { tiers: ["fanotify"], limits: [] });
  assertEquals(holdOf(open, host()).tiers, []);
  const [tree] = entries('action = "open"\npaths = ["/a/**"]');
  assert(tree !== undefined);
  assert(holdOf(tree, WITHOUT_LSM).limits.some((line) => line.includes("moves out of")));
  assertEquals(holdOf(tree, ALL), { tiers: ["lsm"], limits: [] });
});
