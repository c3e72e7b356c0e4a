import type { ErrorCode } from "../../common/config/errors.ts";

/** Name of the Worker that holds antibodies against what the fleet does all day. */
export const ORDINARY_WORKER = "immune-ordinary";

/** From the Worker: that it listens, then that it has looked or why not. */
export type OrdinaryReport =
  | { readonly type: "listening" }
  | { readonly type: "looked" }
  | { readonly type: "failed"; readonly code: ErrorCode; readonly message: string };
