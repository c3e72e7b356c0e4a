// Entry of the Worker.

import { serveIndicators } from "./worker.ts";

serveIndicators();
