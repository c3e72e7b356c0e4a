// Entry of the program that starts hive and agent on a host, with the verbs that it starts itself.

import { runProgram } from "./main.ts";

await runProgram({
  up: async () => (await import("./verbs/up.ts")).addUp,
  doctor: async () => (await import("./verbs/doctor.ts")).addDoctor,
  enroll: async () => (await import("./verbs/enroll.ts")).addEnroll,
  uninstall: async () => (await import("./verbs/uninstall.ts")).addUninstall,
});
