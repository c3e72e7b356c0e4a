/**
 * The way from an agent to its hive: enrolment token, pinned trust, and delivery of a journal over
 * mutual TLS with resume and back-off.
 *
 * @example A token there and back
 * ```ts
 * import { decodeToken, encodeToken } from "./mod.ts";
 *
 * const text = encodeToken({
 *   version: 2,
 *   enroll: "hive.example:9997",
 *   agents: "hive.example:9998",
 *   pins: ["MAA="],
 *   secret: "A".repeat(43),
 * });
 * if (decodeToken(text).agents !== "hive.example:9998") throw new Error("not the same");
 * ```
 *
 * @module
 */
export * from "./address.ts";
export * from "./answer.ts";
export * from "./backoff.ts";
export * from "./downlink.ts";
export * from "./link.ts";
export * from "./orders.ts";
export * from "./outbox.ts";
export * from "./pin.ts";
export * from "./protocol.ts";
export * from "./token.ts";
export * from "./transport.ts";
