import { assertEquals } from "@std/assert";
import { parseEnforcement } from "./parse.ts";
import { type Tier, type TierTrial, TRIALS } from "./trial.ts";
import { Trials } from "./trials.ts";

const REST_MS = 1000;
const { entries } = parseEnforcement('[[entry]]\nname = "a"\naction = "exec"\npaths = ["/a"]\n', {
  file: "t",
  homes: [],
});

/** A host whose trials take so long each. */
class Host {
  nowMs = 0;
  tookMs = 0;
  works: readonly Tier[] = [];
  never: readonly Tier[] = ["lsm"];
  readonly trials = new Trials(() => this.#try(), () => this.nowMs);

  tiers(afterMs: number): readonly Tier[] {
    this.nowMs += afterMs;
    this.trials.againIfDue(REST_MS);
    return this.trials.choose(entries).tiers;
  }

  #try(): readonly TierTrial[] {
    this.nowMs += this.tookMs;
    return TRIALS.map((trial): TierTrial =>
      this.works.includes(trial.tier)
        ? { ...trial, state: "works", reason: "" }
        : { ...trial, state: "refused", reason: "", mayWork: !this.never.includes(trial.tier) }
    );
  }
}

Deno.test("Trials tries again what failed, and what worked once stays", () => {
  const host = new Host();
  host.works = ["signal"];
  assertEquals(host.tiers(0), ["signal"]);
  assertEquals(host.trials.choose(entries).hoped, ["fanotify", "signal"]);
  host.works = ["fanotify"];
  assertEquals(host.tiers(REST_MS - 1), ["signal"]);
  assertEquals(host.tiers(1), ["fanotify", "signal"]);
  assertEquals(host.trials.count, 2);
});

Deno.test("Trials rests the longer the longer one takes, and for ever when no more may work", () => {
  const host = new Host();
  host.tookMs = 500;
  assertEquals(host.tiers(0), []);
  assertEquals(host.trials.count, 1);
  host.tiers(9999);
  assertEquals(host.trials.count, 1);
  host.works = ["cgroup", "fanotify", "signal"];
  assertEquals(host.tiers(1), ["fanotify", "signal"]);
  host.tiers(1e9);
  assertEquals(host.trials.count, 2);
});
