import { ImmuneError } from "../../common/config/mod.ts";
import { readRuleSources } from "../../common/sigma/read.ts";
import type { RuleSource } from "../../common/sigma/parse_rules.ts";
import { rulesCopyIn } from "./rules_copy_path.ts";
import type { SystemUser } from "./user.ts";

const MODE = 0o640;

/**
 * Puts a copy of the rules down for the hive, in one piece.
 *
 * @param paths Rule files and folders.
 * @param options `folder`: state folder, with the hive's home in it; `user`: whose group may read it.
 * @returns Its path.
 * @throws {ImmuneError} `FILE_UNREADABLE` when a path cannot be read, `STATE_UNUSABLE` when the copy
 * cannot be written.
 */
export async function copyRules(
  paths: readonly string[],
  { folder, user }: { readonly folder: string; readonly user?: SystemUser | undefined },
): Promise<string> {
  const sources: RuleSource[] = [];
  for (const path of paths) sources.push(...await readRuleSources(path));
  const copy = rulesCopyIn(folder);
  try {
    // A fresh file: the mode of one that is there would stay.
    await Deno.remove(`${copy}.new`).catch(() => undefined);
    await Deno.writeTextFile(`${copy}.new`, JSON.stringify(sources), { mode: MODE });
    if (user !== undefined) await Deno.chown(`${copy}.new`, 0, user.gid);
    await Deno.rename(`${copy}.new`, copy);
    return copy;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("STATE_UNUSABLE", `Cannot write "${copy}": ${why}`, { cause });
  }
}
