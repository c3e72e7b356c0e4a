/**
 * How agents come to the hive: one-time tokens and the enrolment listener.
 *
 * @example A token that the store does not know is refused
 * ```ts
 * import { createEnrolment } from "./mod.ts";
 * import { Authority } from "../trust/mod.ts";
 *
 * const folder = await Deno.makeTempDir();
 * const { app } = createEnrolment({
 *   authority: await Authority.open(folder),
 *   store: { useToken: () => Promise.resolve(undefined), addAgent: () => Promise.resolve() },
 * });
 * const answer = await app.request("/v1/enroll", { method: "POST", body: "{}" });
 * if (answer.status !== 400) throw new Error("not refused");
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @module
 */
export * from "./challenges.ts";
export * from "./enrolment.ts";
export * from "./keeper.ts";
export * from "./listener.ts";
export * from "./pending.ts";
export * from "./renewals.ts";
export * from "./token.ts";
