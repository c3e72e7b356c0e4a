import type { ProgramModule } from "../../common/config/program.ts";
import type { RefusedEntry } from "../../common/herd/set.ts";
import type { OwnThings } from "../../common/herd/protected.ts";
import type { WantedAntibodies } from "../guards/guard.ts";

/** The Worker that takes antibodies: its lint reads rules. */
export const HERD_WORKER: ProgramModule = {
  name: "immune-herd",
  source: "agent/herd/program.ts",
};

/** What that worker is asked. */
export interface TakeRequest {
  /** The agent's folder. */
  readonly agent: string;
  /** `StatePaths.indicators`. */
  readonly indicators: string;
  readonly wanted: WantedAntibodies;
  /** What no antibody may hit here. */
  readonly own: OwnThings;
  /** Unix time in milliseconds. */
  readonly nowMs: number;
}

/** What this host has of the sets that it is to have, on its disk. */
export interface TakenAntibodies {
  /** Ids of those that count here now. */
  readonly ids: readonly string[];
  /** How many of them the indicators on the disk have. */
  readonly indicators: number;
  /** Ids of their rules, which lie in the folder of rules. */
  readonly ruleIds: readonly string[];
  readonly refused: readonly RefusedEntry[];
  /** When the next of them runs out, Unix time in milliseconds; null = there is none. */
  readonly nextExpiryMs: number | null;
}
