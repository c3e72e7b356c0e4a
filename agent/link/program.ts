// Entry of the Worker.

import { serveLink } from "./worker.ts";

await serveLink();
