/**
 * Configuration, state folder, error codes and clock.
 *
 * @example Flags over environment over file over default
 * ```ts
 * import { loadConfig } from "./mod.ts";
 *
 * const { values, origins } = loadConfig({
 *   flags: { json: true },
 *   environment: { IMMUNE_JOURNAL_FLUSH_MS: "50", IMMUNE_STATE: "/tmp/none-here" },
 *   systemFile: "/tmp/none-here/immune.toml",
 * });
 * console.assert(values.output.json && values.journal.flush_ms === 50);
 * console.assert(origins.get("journal.flush_ms") === "environment IMMUNE_JOURNAL_FLUSH_MS");
 * ```
 *
 * @module
 */
export * from "./clock.ts";
export * from "./durable_file.ts";
export * from "./errors.ts";
export { CONFIG_FILE, SYSTEM_CONFIG_FILE } from "./file.ts";
export * from "./load.ts";
export * from "./lock.ts";
export { nearest } from "./nearest.ts";
export * from "./options.ts";
export * from "./owner.ts";
export * from "./program.ts";
export * from "./state.ts";
export * from "./state_folder.ts";
export * from "./state_paths.ts";
export * from "./two_person.ts";
