import { ImmuneError } from "../../common/config/errors.ts";
import { hasIndicators } from "../../common/indicators/store.ts";
import { askApart } from "../apart/ask.ts";
import { INDICATORS_WORKER, type LoadedIndicators } from "./messages.ts";

/**
 * Reads the indicators of a host and builds their filter, in a Worker that ends with it.
 *
 * @param folder `StatePaths.indicators`.
 * @returns What a pipeline needs; `undefined` when nothing was ever listed: no Worker is started.
 * @throws {ImmuneError} `INDICATORS_INVALID` when the set is damaged, `STATE_UNUSABLE` when it
 * cannot be read.
 */
export async function loadIndicators(folder: string): Promise<LoadedIndicators | undefined> {
  if (!hasIndicators(folder)) return undefined;
  return await askApart<LoadedIndicators | undefined>(INDICATORS_WORKER, folder);
}

/**
 * The same for a program that must go on whatever the set is like.
 *
 * @param folder `StatePaths.indicators`.
 * @param options `onWarning` is told why there are none; `stays`: what then holds.
 * @returns What a pipeline needs, or `undefined`.
 */
export async function loadIndicatorsOrWarn(
  folder: string,
  options: { readonly onWarning: (message: string) => void; readonly stays: string },
): Promise<LoadedIndicators | undefined> {
  try {
    return await loadIndicators(folder);
  } catch (error) {
    if (!(error instanceof ImmuneError)) throw error;
    options.onWarning(`${error.message}; ${options.stays}`);
    return undefined;
  }
}
