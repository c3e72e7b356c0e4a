import { assertEquals } from "@std/assert";
import { parseEnforcement } from "./parse.ts";
import { tierWeaknesses } from "./tier_weakness.ts";
import { type Tier, type TierTrial, TRIALS } from "./trial.ts";
import { Trials } from "./trials.ts";

/** Tiers that work, and those that may; what is in neither never does. */
function host(works: readonly Tier[], may: readonly Tier[] = []): readonly TierTrial[] {
  return TRIALS.map(({ tier, action }) => ({
    tier,
    action,
    ...works.includes(tier)
      ? { state: "works", reason: "" } as const
      : may.includes(tier)
      ? { state: "silent", reason: "told nothing", mayWork: true } as const
      : { state: "refused", reason: "not here" } as const,
  }));
}

const entry = (name: string, rest: string): string => `[[entry]]\nname = "${name}"\n${rest}\n`;
const EXEC = 'action = "exec"\npaths = ["/a"]';
const CONNECT = 'action = "connect"\nports = [1]';

/** Findings of a policy on a host, by so many of the tiers that it would be given to. */
function weak(
  policy: string,
  { trials, why = "", tiers }: {
    readonly trials: readonly TierTrial[];
    readonly why?: string;
    readonly tiers?: readonly Tier[];
  },
): readonly string[] {
  const { entries } = parseEnforcement(policy, { file: "t", homes: [] });
  const all = new Trials(() => trials, () => 0);
  return tierWeaknesses(entries, {
    tiers: tiers ?? all.choose(entries).tiers,
    trials,
    hoped: all.hoped,
    why,
    nowMs: 0,
  }).map(({ object, detail }) => `${object}: ${detail}`);
}

Deno.test("tierWeaknesses() names what holds by no tier, and what a failed one would hold better", () => {
  const both = entry("a", EXEC) + entry("b", CONNECT) + entry("c", CONNECT);
  assertEquals(weak(both, { trials: host(["cgroup", "fanotify", "signal"]) }), []);
  assertEquals(weak(both, { trials: host(["signal"], ["fanotify"]) }), [
    "entry b: it does not hold: no tier here refuses connections, and 1 more",
    "entry a: it holds by signal alone: fanotify failed: told nothing; it is tried again",
  ]);
  assertEquals(weak(entry("b", CONNECT), { trials: host(["signal"], ["cgroup"]) }), [
    "entry b: it does not hold: no tier here refuses connections; cgroup failed: told nothing; " +
    "it is tried again",
  ]);
  // It works, and could not be loaded.
  const trials = host(["fanotify", "signal"]);
  assertEquals(weak(entry("a", EXEC), { trials, tiers: ["signal"], why: "no memory" }), [
    "entry a: it holds by signal alone: fanotify failed: no memory; it is tried again",
  ]);
});

Deno.test("tierWeaknesses() says nothing of what is over, nor of what a tier that holds does not see", () => {
  const over = `${CONNECT}\nexpires = 1969-01-01T00:00:00Z`;
  assertEquals(weak(entry("a", EXEC) + entry("b", over), { trials: host(["signal"]) }), []);
});
