// Entry of the agent's program in `dist/`: the command line with its one verb, so that a process
// that runs for months holds no text that only operators and the hive need.

import { main } from "./main.ts";
import { addAgent } from "./verbs/agent.ts";

Deno.exit(await main(Deno.args, [addAgent]));
