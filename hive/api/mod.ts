/**
 * The operators' API and console as one app.
 *
 * @module
 */
export * from "./agents.ts";
export * from "./app.ts";
export type {
  ApiContext,
  ApiEnv,
  ApiOptions,
  EnrollToken,
  Peer,
  TokenAddresses,
  TokenRequest,
} from "./context.ts";
export { EVENT_BLOCKS_MAX } from "./events.ts";
export { LOGIN_PATH } from "./paths.ts";
export { SESSION_COOKIE, SESSION_COOKIE_TLS } from "./guards.ts";
export * from "./listener.ts";
export * from "./process_tree.ts";
export * from "./schemas.ts";
export * from "./trust_schemas.ts";
export * from "./whole_body.ts";
export { CONTENT_SECURITY_POLICY } from "./security_headers.ts";
