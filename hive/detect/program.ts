// Entry of the Worker.

import { serveDetection } from "./worker.ts";

serveDetection();
