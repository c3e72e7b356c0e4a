import type { ProgramModule } from "../../common/config/program.ts";
import type { Recovery } from "../../common/journal/mod.ts";
import type { Alert, Loss } from "../../common/wire/mod.ts";
import type { EcsDocument } from "../../common/record/mod.ts";
import type { EnforcementOptions } from "../enforce/enforcement.ts";
import type { EnforcementPolicy } from "../enforce/policy.ts";
import type { LoadedIndicators } from "../indicators/messages.ts";
import type { Tier } from "../enforce/trial.ts";
import type { KernelOptions } from "../sensors/options.ts";
import type { Detached } from "../sensors/programs.ts";
import type { Policy } from "../sensors/policy.ts";
import type { ReloadedPolicy } from "./open.ts";
import type { LogOptions } from "./logs.ts";
import type { PipelineRules } from "./rules_in_force.ts";

/** The Worker that reads the sensor, matches and writes the journal. */
export const PIPELINE_WORKER: ProgramModule = {
  name: "immune-pipeline",
  source: "agent/pipeline/program.ts",
};

/** Most event documents that are on their way to a reader at once; more are counted, not sent. */
export const DOCUMENTS_IN_FLIGHT_MAX = 8192;
/** Most alerts that are on their way to a reader at once; more are counted, and journaled alone. */
export const ALERTS_IN_FLIGHT_MAX = 8192;

/** What the pipeline is to do. */
export interface PipelineOptions {
  /** Where the sensor's library is, and how large its rings are. */
  readonly sensor: KernelOptions;
  readonly policy: Policy;
  /** Rules to match, `undefined` for none. */
  readonly rules?: PipelineRules;
  /** Indicators to look for. Default: none. */
  readonly indicators?: LoadedIndicators | undefined;
  /** Files that the agent runs from; with them it looks after itself. Default: it does not. */
  readonly ownFiles?: readonly string[];
  /** Logs to read. Default: none. */
  readonly logs?: LogOptions;
  /** What this host refuses. Default: nothing. */
  readonly enforcement?: EnforcementOptions | undefined;
  /** Folder of the agent's state; without it nothing is written. */
  readonly state?: string;
  readonly journal?: {
    readonly segmentBytes?: number;
    readonly totalBytes?: number;
    readonly flushMs?: number;
  };
  /** Where the journal publishes the last position on the disk, for the link: 8 bytes. */
  readonly durable?: SharedArrayBuffer;
  /** Host id where no state folder tells it. */
  readonly hostId: string;
  /** Boot id, 32 lower-case hexadecimal digits. */
  readonly bootId: string;
  readonly hostName: string;
  /** Sends every event as a document too. */
  readonly documents: boolean;
}

/** What a pipeline takes over while it runs. */
export interface PipelineChange {
  readonly rules: PipelineRules;
  /** Indicators in place of those in force; `undefined`: those stay. */
  readonly indicators?: LoadedIndicators | undefined;
  /** What is to be reported for both. */
  readonly policy: Policy;
  /** What is refused in place of what is; `undefined`: that stays. */
  readonly enforcement?: EnforcementPolicy | undefined;
}

/** From the owner to the pipeline. */
export type PipelineCommand =
  | {
    readonly type: "start";
    readonly options: PipelineOptions;
    readonly control: SharedArrayBuffer;
  }
  /** So many documents and alerts have reached their reader. */
  | { readonly type: "taken"; readonly documents: number; readonly alerts: number }
  | { readonly type: "acknowledged"; readonly position: number }
  /** Other rules and indicators, and what is to be reported for them. */
  | ({ readonly type: "reload" } & PipelineChange)
  /** Asks how many programs of the sensor the kernel has. */
  | { readonly type: "programs" }
  /** Refuses nothing, or goes on; answered by `blocking`. */
  | { readonly type: "blocking"; readonly wanted: boolean }
  /** `release`: nothing is left in the kernel, also of what is pinned. */
  | { readonly type: "stop"; readonly release: boolean };

/** What the pipeline has done since it started. */
export interface PipelineCounters {
  /** Records read from the sensor. */
  readonly records: number;
  readonly alerts: number;
  /** Records with key-like values masked. */
  readonly masked: number;
  /** Records appended to the journal, alerts and health included. */
  readonly journaled: number;
  /** Records that are lost, by any cause. */
  readonly lost: number;
  /** Event documents that were not sent because the reader was slow. */
  readonly documentsDropped: number;
  /** Alerts that were not sent because the reader was slow; the journal has them. */
  readonly alertsDropped: number;
}

/** What a pipeline says when it polls. */
export interface PipelineStarted {
  /** Watches that the kernel refused. */
  readonly watchesNotSet: number;
  /** Tiers that refuse, with a policy; empty without one. */
  readonly tiers: readonly Tier[];
  /** One line: where things are kept. */
  readonly note: string;
  /** What opening the journal found; absent when nothing is stored. */
  readonly recovery?: Recovery;
}

/** From the pipeline to its owner. */
export type PipelineReport =
  | { readonly type: "listening" }
  | ({ readonly type: "started" } & PipelineStarted)
  | { readonly type: "alerts"; readonly alerts: readonly Alert[] }
  | { readonly type: "documents"; readonly documents: readonly EcsDocument[] }
  | { readonly type: "losses"; readonly losses: readonly Loss[] }
  | { readonly type: "warning"; readonly message: string }
  | ({ readonly type: "reloaded" } & ReloadedPolicy)
  /** Other rules could not come into force. */
  | { readonly type: "kept"; readonly message: string }
  | { readonly type: "programs"; readonly loaded: number }
  /** Whether the kernel refuses now. */
  | { readonly type: "blocking"; readonly refuses: boolean }
  | { readonly type: "stopped"; readonly counters: PipelineCounters; readonly detached: Detached }
  | { readonly type: "failed"; readonly code: string; readonly message: string };

/** Words of the control buffer, which the pipeline looks at between two polls. */
export const CONTROL = {
  /** Commands sent so far. */
  sent: 0,
} as const;
