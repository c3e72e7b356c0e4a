/**
 * The agents' port: mutual TLS 1.3, one app, one Worker.
 *
 * @example The app alone, without a certificate
 * ```ts
 * import { createIntake } from "./mod.ts";
 *
 * const { app, refusals } = createIntake({
 *   source: () => undefined,
 *   store: {
 *     certificate: () => Promise.resolve(undefined),
 *     confirmCertificate: () => Promise.resolve(),
 *     append: () => Promise.resolve({ outcome: "gap", expected: 1 }),
 *     directivesFor: () => Promise.resolve([]),
 *     refusedCertificates: () => Promise.resolve([]),
 *     addReport: () => Promise.resolve(),
 *     herd: () => Promise.reject(new Error("nobody is heard")),
 *   },
 * });
 * const answer = await app.request("/v1/batches", { method: "POST" });
 * if (answer.status !== 403 || refusals.counts().no_certificate !== 1) throw new Error("let in");
 * ```
 *
 * @module
 */
export { createIntake, type IntakeApp, type IntakeAppOptions, type IntakeTotals } from "./app.ts";
export * from "./bounds.ts";
export { type CertificateSource, type Client, type IntakeEnv } from "./identity.ts";
export type { IntakeCounters, ListenerLimits, ListenerSettings } from "./listener.ts";
export { INTAKE_WORKER } from "./messages.ts";
export { IntakeWorker, type IntakeWorkerOptions } from "./owner.ts";
export { type Renew, type Renewal } from "./renewal.ts";
export { type IntakeTrust } from "./trust.ts";
export { type Refusal, type RefusalCounts, REFUSALS } from "./refusals.ts";
