import { ImmuneError } from "../../common/config/errors.ts";
import { startWorker } from "../../common/config/program.ts";
import { ORDINARY_WORKER, type OrdinaryReport } from "./ordinary_messages.ts";

/**
 * Looks in a Worker that ends with it: reading a day of many hosts takes seconds, and the hive's
 * own thread has people and orders to answer.
 *
 * @param store A client's port of the store, as `StoreWorker.connect` gives it; it is handed over.
 * @throws {ImmuneError} what it failed with.
 */
export async function lookApart(store: MessagePort): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const worker = startWorker(ORDINARY_WORKER);
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new ImmuneError("INTERNAL", `Cannot look at ordinary events: ${event.message}`));
  };
  worker.onmessage = ({ data }: MessageEvent<OrdinaryReport>) => {
    if (data.type === "listening") worker.postMessage(store, [store]);
    else if (data.type === "looked") resolve();
    else reject(new ImmuneError(data.code, data.message));
  };
  try {
    return await promise;
  } finally {
    worker.terminate();
  }
}
