import * as z from "zod";
import { readIfThere } from "../../common/config/durable_file.ts";
import { CANARY_STATES, type CanaryState } from "../../common/wire/directive_result.ts";
import { commandPath } from "./command_path.ts";

const HOUR_MS = 3_600_000;

/** What is told of the file that `CommandFile` keeps. */
const standingSchema = z.object({
  stopped: z.boolean(),
  canary: z.object({
    lastMs: z.number().nullable(),
    state: z.enum(CANARY_STATES),
    elapsed: z.object({ elapsedMs: z.number() }).nullable(),
  }),
});

/** How a host stands to its orders, as its agent kept it last: within a minute. */
export interface Standing {
  /** True while the kill switch keeps the sensor off. */
  readonly stopped: boolean;
  readonly canary: CanaryState;
  /** Hours since the last canary was asked for; `undefined` = there was none yet. */
  readonly canaryHours: number | undefined;
}

/**
 * How a host stands to its orders.
 *
 * @param folder The agent's folder.
 * @returns `undefined` where there is no agent that takes any, or this user may not read it.
 */
export function readStanding(folder: string): Standing | undefined {
  try {
    const { stopped, canary } = standingSchema.parse(
      JSON.parse(readIfThere(commandPath(folder)) ?? ""),
    );
    const { state, lastMs, elapsed } = canary;
    const age = lastMs === null || elapsed === null ? undefined : elapsed.elapsedMs - lastMs;
    const canaryHours = age === undefined ? undefined : Math.round(age / HOUR_MS);
    return { stopped, canary: state, canaryHours };
  } catch {
    return undefined;
  }
}
