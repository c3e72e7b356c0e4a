// A process that enforces until it is killed, under load of its own. Needs root and the built
// sensor.
//
// deno run -A tests/support/enforcing_process.ts POLICY PIN_PATH TIERS
//
// PIN_PATH empty: fail open. Prints the ids of its programs on one line when the policy is in force.
import type { Tier } from "../../agent/enforce/mod.ts";
import { Refusals } from "./enforcement.ts";

const [policy = "", pinPath = "", tiers = ""] = Deno.args;
const refusals = new Refusals(policy, {
  tiers: tiers.split(",") as Tier[],
  ...(pinPath === "" ? {} : { pinned: true, pinPath }),
});
// What an earlier process left is told by now: those verdicts have a source of their own.
refusals.probe.drain();
const rescued = refusals.verdicts().filter(({ source }) => source === 0xF007).length;
console.log(JSON.stringify({ ids: [...refusals.enforcer.programIds()], rescued }));
// Load: records come all the time that it may be killed in.
for (;;) {
  refusals.probe.read(5);
  refusals.probe.records.length = 0;
  new Deno.Command("/bin/true").spawn().status.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 0));
}
