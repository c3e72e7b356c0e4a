// Entry of the Worker.

import { serveStore } from "./worker.ts";

serveStore();
