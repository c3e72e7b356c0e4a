import { cString, type LibraryOptions, loadLibrary } from "../sensors/library.ts";
import type { EnforcementPolicy } from "./policy.ts";
import { PROTECTED_PROGRAMS, protectedUsers } from "./protected.ts";

const PASSWD = "/etc/passwd";

/** Bytes of `struct immune_file_about`, and where its members are. */
const ABOUT_BYTES = 216;
const ABOUT = {
  device: 0,
  changedNs: 4,
  inode: 8,
  changedS: 16,
  links: 32,
  kernelDevice: 36,
  sha256: 40,
  kernelInode: 72,
} as const;
const WITH_HASH = 1;
const NO_FOLLOW = 2;

/** What a file is known by. */
export interface FileIdentity {
  /** Device in the kernel's encoding. */
  readonly device: number;
  readonly inode: bigint;
}

/** A file by what it is, as stat(2) and so fanotify have it. */
export interface FileAbout extends FileIdentity {
  /**
   * As programs in the kernel see it: another device on overlayfs and btrfs. `undefined` where that
   * cannot be told (overlayfs and btrfs before Linux 5.14).
   */
  readonly kernel: FileIdentity | undefined;
  /** Names that it has. */
  readonly links: number;
  /** Seconds and nanoseconds of its last change. */
  readonly changed: readonly [bigint, number];
  /** 64 hexadecimal digits; zeros where it was not asked for. */
  readonly sha256: string;
  /** The same as the library has it, with what the file is found again by. */
  readonly raw: Uint8Array<ArrayBuffer>;
}

/** The files that a policy names, as they were when it was looked. */
export interface ResolvedFiles {
  /** Meant by what they are. */
  readonly named: ReadonlyMap<string, FileAbout>;
  /**
   * Files of exact paths that had no other name, and so may be known by what they are too: a link
   * that is made later is found. Of one with several names only the path counts: to refuse one
   * command of a program with many would refuse all.
   */
  readonly alone: ReadonlyMap<string, FileAbout>;
  /** Files that were at a path when it was looked before, and live under another name. */
  readonly kept: ReadonlyMap<string, readonly FileAbout[]>;
  /** Programs that nothing is refused to. */
  readonly protected: readonly string[];
  /** The user that one of them runs as beside root. */
  readonly users: ReadonlyMap<string, number>;
  /** Paths that lead to no regular file now. */
  readonly missing: readonly string[];
  /** Files that the kernel's own tiers do not know by what they are. */
  readonly unknown: readonly string[];
}

/**
 * Looks at a file.
 *
 * @param path Absolute path.
 * @param options Whether it is hashed (default: not) and links are followed (default: they are).
 * @returns What it is, or `undefined` where there is no such regular file.
 */
export function fileAbout(
  path: string,
  options: LibraryOptions & { readonly hash?: boolean; readonly follow?: boolean } = {},
): FileAbout | undefined {
  const { symbols } = loadLibrary(options);
  const bytes = new Uint8Array(ABOUT_BYTES);
  const flags = (options.hash === true ? WITH_HASH : 0) |
    (options.follow === false ? NO_FOLLOW : 0);
  if (symbols.immune_file_about(cString(path), flags, bytes) < 0n) return undefined;
  const view = new DataView(bytes.buffer);
  const kernelDevice = view.getUint32(ABOUT.kernelDevice, true);
  return {
    device: view.getUint32(ABOUT.device, true),
    inode: view.getBigUint64(ABOUT.inode, true),
    kernel: kernelDevice === 0
      ? undefined
      : { device: kernelDevice, inode: view.getBigUint64(ABOUT.kernelInode, true) },
    links: view.getUint32(ABOUT.links, true),
    changed: [
      view.getBigUint64(ABOUT.changedS, true),
      view.getUint32(ABOUT.changedNs, true),
    ],
    sha256: bytes.subarray(ABOUT.sha256, ABOUT.sha256 + 32).toHex(),
    raw: bytes,
  };
}

/**
 * Looks at all files that a policy names.
 *
 * @param policy The policy.
 * @param about How one is looked at. Default: {@linkcode fileAbout}.
 */
export function resolveFiles(
  policy: EnforcementPolicy,
  about: typeof fileAbout = fileAbout,
): ResolvedFiles {
  const named = new Map<string, FileAbout>();
  const alone = new Map<string, FileAbout>();
  const missing: string[] = [];
  const guarded = [...PROTECTED_PROGRAMS, ...policy.protect];
  const optional = new Set(PROTECTED_PROGRAMS);
  const wanted = policy.entries.flatMap((
    { files, exceptPrograms },
  ) => [...files, ...exceptPrograms]);
  for (const path of new Set([...wanted, ...guarded])) {
    const found = about(path);
    if (found !== undefined) named.set(path, found);
    else if (!optional.has(path)) missing.push(path);
  }
  for (const path of new Set(policy.entries.flatMap(({ paths }) => paths))) {
    const found = about(path, { follow: false });
    if (found?.links === 1) alone.set(path, found);
  }
  const unknown = [...named, ...alone]
    .filter(([path, { kernel }]) => kernel === undefined && !optional.has(path))
    .map(([path]) => path);
  return { named, alone, kept: new Map(), protected: guarded, users: usersOf(), missing, unknown };
}

function usersOf(): ReadonlyMap<string, number> {
  try {
    return protectedUsers(Deno.readTextFileSync(PASSWD));
  } catch (error) {
    // A host without it has no such accounts: then as root alone.
    if (error instanceof Deno.errors.NotFound) return new Map();
    throw error;
  }
}

/**
 * Whether a policy refuses, and no program that is to be spared was found.
 *
 * @param policy The policy.
 * @param files What was found of it.
 */
export function sparesNone({ entries }: EnforcementPolicy, files: ResolvedFiles): boolean {
  return entries.some(({ mode }) => mode === "block") &&
    !files.protected.some((path) => files.named.has(path));
}

/**
 * One text for what was found: another one says that the tables are to be made anew.
 *
 * @param files What was found.
 */
export function filesKey({ named, alone, kept, users }: ResolvedFiles): string {
  const former = [...kept].flatMap(([path, files]) =>
    files.map((about): [string, FileAbout] => [path, about])
  );
  const texts = [[...named], [...alone], former].map((files) =>
    files.map(([path, { device, inode, kernel }]) =>
      `${path} ${device} ${inode} ${kernel?.device} ${kernel?.inode}`
    ).join("\n")
  );
  return [...texts, [...users].join("\n")].join("\n\n");
}
