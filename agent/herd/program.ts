// Entry of the Worker.

import { serveHerd } from "./worker.ts";

serveHerd();
