// Entry of the Worker.

import { servePipeline } from "./worker.ts";

await servePipeline();
