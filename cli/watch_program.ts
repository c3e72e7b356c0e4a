// Entry of the program that shows what the sensor sees, for as long as somebody looks.

import { runProgram } from "./main.ts";

await runProgram({
  watch: async () => (await import("./verbs/watch.ts")).addWatch,
  events: async () => (await import("./verbs/events.ts")).addEvents,
});
