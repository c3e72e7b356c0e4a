import { cString, type LibraryOptions, loadLibrary } from "../sensors/library.ts";
import type { EnforcementPolicy } from "./policy.ts";
import type { FileAbout, ResolvedFiles } from "./resolve.ts";

/** Files that a policy holds for after they lost the name that it has for them. */
export const KEPT_FILES_MAX = 256;
const ESTALE = 116n;

/** A descriptor of a file that was found again, or why there is none. */
export type Again = number | "gone" | "unknown";

/** What became of the files of a policy since it was looked before. */
export interface Followed {
  /** What was found now, and of what was found before that which lives under another name. */
  readonly files: ResolvedFiles;
  /** Paths of files that may live, and are not followed any more. */
  readonly lost: readonly string[];
}

/**
 * Finds a file again that was at a path once, whatever its name is now.
 *
 * @param path The path.
 * @param about What was found there.
 * @param options The library.
 * @returns A descriptor for {@linkcode closeAgain}.
 */
export function openAgain(path: string, about: FileAbout, options: LibraryOptions = {}): Again {
  const found = loadLibrary(options).symbols.immune_file_again(cString(path), about.raw);
  if (found >= 0n) return Number(found);
  return found === -ESTALE ? "gone" : "unknown";
}

/**
 * Closes what {@linkcode openAgain} opened.
 *
 * @param descriptor The descriptor.
 * @param options The library.
 */
export function closeAgain(descriptor: number, options: LibraryOptions = {}): void {
  loadLibrary(options).symbols.immune_file_close(BigInt(descriptor));
}

/** Whether a file that was found before has a name yet. */
function livesAgain(path: string, about: FileAbout): "lives" | "gone" | "unknown" {
  const again = openAgain(path, about);
  if (typeof again === "string") return again;
  closeAgain(again);
  return "lives";
}

/**
 * Follows files that were moved since it was looked before, or got a second name: what they are is
 * refused as long as they live.
 *
 * @param policy The policy.
 * @param looks What was found before, and now; how a file is looked for (default: by its handle).
 */
export function followFiles(
  policy: EnforcementPolicy,
  { before, now, lives = livesAgain }: {
    readonly before: ResolvedFiles | undefined;
    readonly now: ResolvedFiles;
    readonly lives?: typeof livesAgain;
  },
): Followed {
  const kept = new Map<string, readonly FileAbout[]>();
  const lost: string[] = [];
  let count = 0;
  for (const path of new Set(policy.entries.flatMap(({ files, paths }) => [...files, ...paths]))) {
    const ids = new Set(meant(policy, now, path).map(identityKey));
    const found: FileAbout[] = [];
    for (const about of formerly(policy, before, path)) {
      const id = identityKey(about);
      if (ids.has(id)) continue;
      ids.add(id);
      const state = lives(path, about);
      if (state === "lives" && count++ < KEPT_FILES_MAX) found.push(about);
      else if (state !== "gone") lost.push(path);
    }
    if (found.length > 0) kept.set(path, found);
  }
  return { files: { ...now, kept }, lost };
}

/** What a path of `files` or `paths` means, as it was looked. */
function meant(
  { entries }: EnforcementPolicy,
  { named, alone }: ResolvedFiles,
  path: string,
): readonly FileAbout[] {
  // Programs that an entry makes an exception of are named too.
  const isFile = entries.some(({ files }) => files.includes(path));
  return [alone.get(path), isFile ? named.get(path) : undefined]
    .filter((about) => about !== undefined);
}

/** What it meant before, those first that were moved first. */
function formerly(
  policy: EnforcementPolicy,
  before: ResolvedFiles | undefined,
  path: string,
): readonly FileAbout[] {
  if (before === undefined) return [];
  return [...before.kept.get(path) ?? [], ...meant(policy, before, path)];
}

function identityKey({ device, inode }: FileAbout): string {
  return `${device}:${inode}`;
}
