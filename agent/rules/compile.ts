import { type ErrorCode, ImmuneError } from "../../common/config/errors.ts";
import { type CompiledRules, RULES_WORKER, type RulesReport } from "./messages.ts";

/**
 * Reads and compiles rules in a Worker that ends with it. The memory that this takes (parsers, and
 * automata in the making) would otherwise stay with a process that runs for months.
 *
 * @param paths Rule files and folders, in their order; none gives an empty rule set.
 * @returns The rules.
 * @throws {ImmuneError} `FILE_UNREADABLE` when a path cannot be read.
 */
export async function compileApart(paths: readonly string[]): Promise<CompiledRules> {
  const { promise, resolve, reject } = Promise.withResolvers<CompiledRules>();
  // The program's one entry file, which is also its bundle: it looks at the Worker's name.
  const worker = new Worker(Deno.mainModule, { type: "module", name: RULES_WORKER });
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new ImmuneError("INTERNAL", `Cannot compile rules: ${event.message}`));
  };
  worker.onmessage = ({ data }: MessageEvent<RulesReport>) => {
    if (data.type === "listening") worker.postMessage(paths);
    else if (data.type === "compiled") resolve(data.compiled);
    else reject(new ImmuneError(data.code as ErrorCode, data.message));
  };
  try {
    return await promise;
  } finally {
    worker.terminate();
  }
}
