// Entry of the Worker.

import { serveOrdinary } from "./ordinary_worker.ts";

serveOrdinary();
