import type { ErrorCode } from "../../common/config/errors.ts";
import type { ProgramModule } from "../../common/config/program.ts";
import type { CountingCommand, CountingReport } from "../counting_worker.ts";
import type { FleetRules } from "./rules.ts";
import type { CorrelatorStats } from "../../common/sigma/correlation/mod.ts";

/** The Worker that correlates over all hosts. */
export const DETECT_WORKER: ProgramModule = {
  name: "immune-detect",
  source: "hive/detect/program.ts",
};

/** The Worker that compiles rules for it, and ends. */
export const FLEET_RULES_WORKER: ProgramModule = {
  name: "immune-fleet-rules",
  source: "hive/detect/rules_program.ts",
};

/** Where the rules are: files and folders, or a copy of them that `up` made. */
export type RulesPlace = { readonly paths: readonly string[] } | { readonly copy: string };

/** What the hive's detection did since it started, and holds. */
export interface DetectCounters {
  /** Alerts of agents that were looked at. */
  alerts: number;
  /** Of them, those whose time lay ahead of the hive's clock. */
  ahead: number;
  /** Alerts of its own. */
  raised: number;
  /** Number of the last alert that was looked at. */
  position: number;
  /** Correlations in force. */
  correlations: number;
  readonly state: CorrelatorStats;
}

/** From the owner to the Worker. */
export type DetectCommand =
  | {
    readonly type: "start";
    readonly rules: RulesPlace;
    /** A client's port of the store. */
    readonly store: MessagePort;
  }
  | { readonly type: "reload" }
  | CountingCommand;

/** From the Worker to its owner, besides what every Worker that counts tells. */
export type DetectOwnReport =
  | { readonly type: "started" }
  | { readonly type: "reloaded" }
  | { readonly type: "line"; readonly line: string };

/** From the Worker to its owner. */
export type DetectReport = DetectOwnReport | CountingReport<DetectCounters>;

/** From the worker that compiles: that it listens, then the rules or why there are none. */
export type RulesReport =
  | { readonly type: "listening" }
  | { readonly type: "compiled"; readonly rules: FleetRules }
  | { readonly type: "failed"; readonly code: ErrorCode; readonly message: string };
