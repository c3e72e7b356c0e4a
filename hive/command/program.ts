// Entry of the Worker.

import { serveSigner } from "./signer_worker.ts";

serveSigner();
