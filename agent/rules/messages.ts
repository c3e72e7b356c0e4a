import type { ProgramModule } from "../../common/config/program.ts";
import type {
  CorrelationRule,
  Interest,
  LogSource,
  RoleName,
  RuleInfo,
} from "../../common/sigma/mod.ts";

/** The Worker that compiles rules. */
export const RULES_WORKER: ProgramModule = {
  name: "immune-rules",
  source: "agent/rules/program.ts",
};

/** Rules as a pipeline needs them. */
export interface CompiledRules {
  /** Rule image for the engine. */
  readonly image: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the image, 64 lower-case hexadecimal digits. */
  readonly hash: string;
  /** Loaded rules; index = rule index in the image. */
  readonly rules: readonly RuleInfo[];
  /** Correlations of the rules. */
  readonly correlations: readonly CorrelationRule[];
  /** Names of the fields of the image, by their number. */
  readonly fields: readonly string[];
  /** Distinct log sources; index = bit of a flat event. */
  readonly logSources: readonly LogSource[];
  /** Roles of processes, by the ids that records carry. */
  readonly roles: readonly RoleName[];
  /** One line a rule that did not load: where, why, what to do. */
  readonly rejected: readonly string[];
  /** What the rules need from the kernel. */
  readonly interest: Interest;
}
