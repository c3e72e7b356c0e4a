import type { ErrorCode } from "../../common/config/errors.ts";
import type { ProgramModule } from "../../common/config/program.ts";
import type { DirectiveContent, DirectiveHead } from "../../common/wire/mod.ts";

/** The Worker that holds the directive key. */
export const SIGNER_WORKER: ProgramModule = {
  name: "immune-signer",
  source: "hive/command/program.ts",
};

/** A directive that is to be signed. */
export type UnsignedDirective = DirectiveHead & Exclude<DirectiveContent, { kind: "stop" }>;

/** What a signer is asked through a port. */
export type SignRequest =
  | { readonly id: number; readonly type: "sign"; readonly directive: UnsignedDirective }
  /** A canary of the newest number that answers a nonce. */
  | { readonly id: number; readonly type: "canary"; readonly nonce: string }
  | { readonly id: number; readonly type: "successor" }
  | { readonly id: number; readonly type: "succeed" };

/** Its answer: signed bytes, or a public key. */
export type SignAnswer =
  | { readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly id: number; readonly error: { readonly code: ErrorCode; readonly message: string } };

/** From the owner to the signer's Worker. */
export type SignerCommand =
  | { readonly type: "open"; readonly folder: string; readonly fleet: string }
  /** `owner`: may have more signed than canaries. */
  | { readonly type: "connect"; readonly port: MessagePort; readonly owner: boolean }
  | { readonly type: "close" };

/** From the signer's Worker to its owner. */
export type SignerReport =
  | { readonly type: "listening" }
  | { readonly type: "opened"; readonly publicKey: Uint8Array<ArrayBuffer> }
  | { readonly type: "closed" }
  | { readonly type: "failed"; readonly code: ErrorCode; readonly message: string };
