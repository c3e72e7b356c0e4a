// Entry of the agent's program: the command line with its one verb, so that a process that runs for
// months holds no text that only operators and the hive need.

import { runProgram } from "./main.ts";
import { addAgent } from "./verbs/agent.ts";

await runProgram({ agent: () => Promise.resolve(addAgent) });
