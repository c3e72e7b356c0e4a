// Entry of the program with what operators sign and check, which keys and hashes are needed for.

import { runProgram } from "./main.ts";

await runProgram({
  audit: async () => (await import("./verbs/audit.ts")).addAudit,
  directives: async () => (await import("./verbs/directives.ts")).addDirectives,
  "kill-switch": async () => (await import("./verbs/kill_switch.ts")).addKillSwitch,
});
