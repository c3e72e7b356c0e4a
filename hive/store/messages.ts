import type { ErrorCode } from "../../common/config/errors.ts";
import type { ProgramModule } from "../../common/config/program.ts";
import type { Store } from "./store.ts";

/** The Worker that holds the store. */
export const STORE_WORKER: ProgramModule = {
  name: "immune-store",
  source: "hive/store/program.ts",
};

/** What can be asked of a store through a port; `true` for each, so that none is forgotten. */
export const STORE_METHODS = {
  addToken: true,
  useToken: true,
  removeToken: true,
  addAgent: true,
  certificate: true,
  renewCertificate: true,
  confirmCertificate: true,
  revokeAgent: true,
  revokeAgents: true,
  agents: true,
  append: true,
  alerts: true,
  alert: true,
  alertFeed: true,
  detectionState: true,
  detected: true,
  blocks: true,
  ledgers: true,
  document: true,
  findDocument: true,
  documents: true,
  putDocument: true,
  removeDocument: true,
  stats: true,
  nextDirectiveNumber: true,
  addDirective: true,
  directivesFor: true,
  antibodyDirectives: true,
  directives: true,
  directiveOutcomes: true,
  addReport: true,
  agentOrders: true,
  refusedCertificates: true,
  herd: true,
} as const satisfies Record<Exclude<keyof Store, "close">, true>;

/** Name of a method that can be asked through a port. */
export type StoreMethod = keyof typeof STORE_METHODS;

/** From a client to the store, through its port. */
export interface StoreRequest {
  /** The client's number for it. */
  readonly id: number;
  readonly method: StoreMethod;
  readonly args: readonly unknown[];
}

/** From the store to a client: what the method gave, or the error it ended with. */
export type StoreAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: CrossedError };

/** An error on its way between threads. */
export interface CrossedError {
  readonly code: ErrorCode;
  readonly message: string;
}

/** From the owner to the store's Worker. */
export type StoreCommand =
  | { readonly type: "open"; readonly path: string; readonly bytesMax?: number }
  | { readonly type: "connect"; readonly port: MessagePort }
  | { readonly type: "close" };

/** From the store's Worker to its owner. */
export type StoreReport =
  | { readonly type: "listening" }
  | { readonly type: "opened" }
  | { readonly type: "closed" }
  | { readonly type: "failed"; readonly error: CrossedError };
