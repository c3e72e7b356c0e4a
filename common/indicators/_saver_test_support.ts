// Saves one set after the other until it is killed; each line of its output is a save that
// returned.
import { makeIndicator } from "./indicator.ts";
import { IndicatorStore } from "./store.ts";

const [folder = ""] = Deno.args;
using store = IndicatorStore.open(folder);
const line = new TextEncoder();
for (let round = 1;; round++) {
  store.set.withdraw({ source: "feed" });
  for (let i = 0; i < 500; i++) {
    const made = makeIndicator({ type: "path", value: `/tmp/${round}/${i}`, source: "feed" }, 0);
    if (typeof made !== "string") store.set.add([made], 0);
  }
  store.save();
  Deno.stdout.writeSync(line.encode(`${round}\n`));
}
