/**
 * How orders come from the hive and answers go back, and where packs of rules lie.
 *
 * @example A pack unfolds to a folder of its own
 * ```ts
 * import { writePack } from "../../common/wire/mod.ts";
 * import { PackFolders } from "./mod.ts";
 *
 * const agent = await Deno.makeTempDir();
 * const packs = new PackFolders(agent);
 * packs.add("a".repeat(64), writePack([{ name: "one.yml", text: "title: One" }]));
 * console.assert(packs.has("a".repeat(64)) && !packs.has("b".repeat(64)));
 * await Deno.remove(agent, { recursive: true });
 * ```
 *
 * @module
 */
export * from "./orders_link.ts";
export * from "./pack_folder.ts";
