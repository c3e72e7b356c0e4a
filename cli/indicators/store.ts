import { checkFolder, type Config, statePaths } from "../../common/config/mod.ts";
import type { IndicatorStore } from "../../common/indicators/mod.ts";

/** How a change comes into force. */
export const RELOAD_HINT =
  'A program that watches takes them over on SIGHUP ("immune up", "agent" or "watch").';

/**
 * Opens the indicators of a host for a change.
 *
 * @param config The configuration.
 * @returns The store, locked.
 * @throws {ImmuneError} `STATE_LOCKED`, `STATE_UNUSABLE`, `INDICATORS_INVALID`.
 */
export async function openStore({ state }: Config): Promise<IndicatorStore> {
  const { IndicatorStore } = await import("../../common/indicators/mod.ts");
  const { folder, agent, indicators } = statePaths(state.dir);
  for (const path of [folder, agent]) {
    if (isThere(path)) checkFolder(path, Deno.uid());
  }
  return IndicatorStore.open(indicators);
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
