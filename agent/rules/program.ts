// Entry of the Worker.

import { serveRules } from "./worker.ts";

serveRules();
