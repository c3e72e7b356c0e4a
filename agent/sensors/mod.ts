/**
 * Where records come from: this host's kernel, or a recording.
 *
 * @example
 * ```ts
 * import { encodePolicy } from "./mod.ts";
 *
 * const blob = encodePolicy({
 *   kinds: ["exec", "connect", "open"],
 *   wideOpen: false,
 *   identity: false,
 *   wakeIntervalUs: 4000,
 *   watches: [{ type: "file", path: "/etc/shadow" }],
 * });
 * console.log(blob.length); // 136
 * ```
 *
 * @module
 */
export * from "./capabilities.ts";
export * from "./control.ts";
export * from "./facts.ts";
export * from "./kernel.ts";
export * from "./library.ts";
export * from "./linux_capabilities.ts";
export * from "./listed_files.ts";
export * from "./options.ts";
export * from "./network_policy.ts";
export * from "./policy.ts";
export * from "./port_owner.ts";
export * from "./programs.ts";
export * from "./replay.ts";
export * from "./requirements.ts";
export * from "./sensor.ts";
