// Entry of the Worker.

import { serveFleetRules } from "./rules_worker.ts";

serveFleetRules();
