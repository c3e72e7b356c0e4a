// A process that watches one file and refuses one program by fanotify, to be stopped and killed.
// Needs root and the built sensor.
//
// deno run -A tests/support/held_process.ts WATCHED POLICY
//
// Prints what it counted, one line of JSON each time that it changed.
import { Refusals } from "./enforcement.ts";

const [path = "", policy = ""] = Deno.args;
const refusals = new Refusals(policy, { tiers: ["fanotify"] });
refusals.probe.set({ kinds: ["open", "verdict"], watches: [{ type: "file", path }] });
let said = "";
for (;;) {
  refusals.probe.read(20);
  const [counts] = refusals.enforcer.counts();
  const unseen = refusals.probe.watchStats().unreadable;
  const [found] = refusals.probe.sensor.verify();
  const text = JSON.stringify({ unseen, failed: counts?.failed, found: found ?? null });
  if (text === said) continue;
  console.log(said = text);
}
