import { dirname, relative, resolve } from "node:path";
import { ImmuneError } from "../../common/config/errors.ts";
import type { RuleSet, RuleSource } from "../../common/sigma/mod.ts";

/** Why rules did not load, and how many for that reason. */
export interface SkipReason {
  /** One line, without the names and numbers that differ from rule to rule. */
  readonly reason: string;
  readonly count: number;
  /** One of them: file and line. */
  readonly example: string;
}

/** What became of a copied rule file. */
export interface Copied {
  readonly added: number;
  readonly replaced: number;
  readonly unchanged: number;
}

/**
 * Counts what did not load, by reason.
 *
 * @param ruleSet Compiled rules.
 * @returns Reasons, the most frequent first.
 */
export function skipReasons({ rejected }: RuleSet): readonly SkipReason[] {
  const reasons = new Map<string, SkipReason>();
  for (const { reason, feature, path, line } of rejected) {
    const key = feature === undefined ? general(reason) : `${feature} is not supported`;
    const known = reasons.get(key);
    const example = known?.example ?? `${path}:${line}`;
    reasons.set(key, { reason: key, count: (known?.count ?? 0) + 1, example });
  }
  return [...reasons.values()].sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
}

/** A reason without what stands in quotes, so that equal ones meet. */
function general(reason: string): string {
  return reason.replaceAll(/"(?:[^"\\]|\\.)*"/g, '"..."').replaceAll(/ at \S+:\d+/g, " at ...");
}

/**
 * Copies the files of which something loaded.
 *
 * @param sources Rule files that were read.
 * @param options `from`: the folder they lie in; `into`: where they go, in the same subfolders;
 * `ruleSet`: what they compiled to.
 * @returns Counts.
 * @throws {ImmuneError} `USAGE` when one folder lies in the other, `OUTPUT_UNWRITABLE`.
 */
export async function copyLoaded(
  sources: readonly RuleSource[],
  options: { readonly from: string; readonly into: string; readonly ruleSet: RuleSet },
): Promise<Copied> {
  refuseOverlap(options);
  const { rules, correlations } = options.ruleSet;
  const loaded = new Set([...rules, ...correlations].map(({ path }) => path));
  const copied = { added: 0, replaced: 0, unchanged: 0 };
  for (const { path, text } of sources) {
    if (!loaded.has(path)) continue;
    const target = resolve(options.into, relative(options.from, path) || baseOf(path));
    copied[await copy(target, text)]++;
  }
  return copied;
}

/** What is copied must not be read as a rule the next time, nor a rule be replaced by its copy. */
function refuseOverlap({ from, into }: { readonly from: string; readonly into: string }): void {
  const source = folderOf(from);
  const target = folderOf(into);
  if (!source.startsWith(target) && !target.startsWith(source)) return;
  throw new ImmuneError(
    "USAGE",
    `Cannot copy rules from "${from}" into "${into}": one lies in the other; name a folder beside it`,
  );
}

function folderOf(path: string): string {
  return `${resolve(path)}/`.replace("//", "/");
}

async function copy(target: string, text: string): Promise<keyof Copied> {
  try {
    const present = await Deno.readTextFile(target).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    });
    if (present === text) return "unchanged";
    await Deno.mkdir(dirname(target), { recursive: true });
    await Deno.writeTextFile(target, text);
    return present === undefined ? "added" : "replaced";
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("OUTPUT_UNWRITABLE", `Cannot write rule "${target}": ${why}`, { cause });
  }
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
