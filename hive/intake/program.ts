// Entry of the Worker.

import { serveIntake } from "./worker.ts";

serveIntake();
