import type { ErrorCode } from "../../common/config/errors.ts";
import type { ProgramModule } from "../../common/config/program.ts";

/** The Worker that holds antibodies against what the fleet does all day. */
export const ORDINARY_WORKER: ProgramModule = {
  name: "immune-ordinary",
  source: "hive/herd/ordinary_program.ts",
};

/** From the Worker: that it listens, then that it has looked or why not. */
export type OrdinaryReport =
  | { readonly type: "listening" }
  | { readonly type: "looked" }
  | { readonly type: "failed"; readonly code: ErrorCode; readonly message: string };
