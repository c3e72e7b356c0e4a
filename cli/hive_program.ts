// Entry of the hive's program: the command line with its one verb.

import { runProgram } from "./main.ts";
import { addHive } from "./verbs/hive.ts";

await runProgram({ hive: () => Promise.resolve(addHive) });
