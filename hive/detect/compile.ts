import { ImmuneError } from "../../common/config/errors.ts";
import { startWorker } from "../../common/config/program.ts";
import { FLEET_RULES_WORKER, type RulesPlace, type RulesReport } from "./messages.ts";
import type { FleetRules } from "./rules.ts";

/**
 * Reads and compiles rules in a Worker that ends with it: the memory that this takes would stay with
 * the hive otherwise (measured: 50 MiB with the packs).
 *
 * @param place Where they are.
 * @returns The rules.
 * @throws {ImmuneError} `FILE_UNREADABLE` when they cannot be read.
 */
export async function compileApart(place: RulesPlace): Promise<FleetRules> {
  const { promise, resolve, reject } = Promise.withResolvers<FleetRules>();
  const worker = startWorker(FLEET_RULES_WORKER);
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new ImmuneError("INTERNAL", `Cannot compile rules: ${event.message}`));
  };
  worker.onmessage = ({ data }: MessageEvent<RulesReport>) => {
    if (data.type === "listening") worker.postMessage(place);
    else if (data.type === "compiled") resolve(data.rules);
    else reject(new ImmuneError(data.code, data.message));
  };
  try {
    return await promise;
  } finally {
    worker.terminate();
  }
}
