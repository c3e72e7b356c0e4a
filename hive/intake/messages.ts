import type { ErrorCode } from "../../common/config/errors.ts";
import type { ProgramModule } from "../../common/config/program.ts";
import type { CountingCommand, CountingReport } from "../counting_worker.ts";
import type { HerdSaid } from "../herd/word_trail.ts";
import type { Published } from "./downlinks.ts";
import type { IntakeCounters, ListenerSettings } from "./listener.ts";
import type { Renewal } from "./renewal.ts";
import type { IntakeTrust } from "./trust.ts";

/** The Worker that holds the agents' port. */
export const INTAKE_WORKER: ProgramModule = {
  name: "immune-intake",
  source: "hive/intake/program.ts",
};

/** From the owner to the intake's Worker. */
export type IntakeCommand =
  | {
    readonly type: "start";
    readonly settings: ListenerSettings;
    /** A client's port of the store. */
    readonly store: MessagePort;
    /** Where orders come from: a signer's port, and the hive's folder with its packs. */
    readonly orders?: { readonly signer: MessagePort; readonly folder: string };
  }
  | { readonly type: "publish"; readonly published: Published }
  | { readonly type: "trust"; readonly trust: IntakeTrust }
  | { readonly type: "renewed"; readonly id: number; readonly outcome: RenewOutcome }
  | CountingCommand;

/** A certificate that was signed, or why none was. */
export type RenewOutcome =
  | { readonly certificate: string }
  | { readonly code: ErrorCode; readonly message: string };

/** From the intake's Worker to its owner, besides what every Worker that counts tells. */
export type IntakeOwnReport =
  | { readonly type: "started"; readonly port: number }
  /** Asks for a signature: the authority's key is not in the thread that agents reach. */
  | { readonly type: "renew"; readonly id: number; readonly renewal: Renewal }
  | { readonly type: "line"; readonly line: string }
  /** What an agent said to the herd: the log of decisions is another thread's. */
  | { readonly type: "said"; readonly said: HerdSaid };

/** From the intake's Worker to its owner. */
export type IntakeReport = IntakeOwnReport | CountingReport<IntakeCounters>;
