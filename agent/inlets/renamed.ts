/** Files that a log may have been renamed to that are looked at; of more, the newest by name. */
const RENAMED_MAX = 64;
/** What ends the name of a file that is packed: nobody reads those. */
const PACKED = /\.(?:gz|xz|zst|bz2|lz4|Z)$/;
/** `.1`, `.2`: the higher the older. */
const NUMBERED = /^\.(\d{1,6})$/;
/** `-20261128`, `-2026112803`, `.2026-11-28`: the later the newer. */
const DATED = /^[.-](\d{4}-?\d{2}-?\d{2}[\d-]{0,20})$/;

/** A file beside a log that it may have been renamed to. */
export interface RenamedLog {
  readonly path: string;
  /** How its name tells its age; empty where it does not. */
  readonly series: "numbered" | "dated" | "";
  /** Of two of a series the newer one's is the greater. */
  readonly rank: string;
  readonly isPacked: boolean;
}

/** A log that was written after another one. */
export interface NextLog {
  readonly path: string;
  /** As {@linkcode idOf} tells it. */
  readonly id: string;
  /** Files between both that cannot be read, or whose order cannot be told. */
  readonly missed: number;
}

interface FoundLog extends RenamedLog {
  readonly id: string;
  readonly writtenMs: number;
}

/**
 * Files beside a log that it may have been renamed to: `auth.log.1`, `auth.log-20261128`.
 *
 * @param path The log.
 * @returns The newest of a series first; those whose names tell nothing last.
 */
export function renamedLogs(path: string): readonly RenamedLog[] {
  const slash = path.lastIndexOf("/");
  const [folder, name] = [path.slice(0, slash) || "/", path.slice(slash + 1)];
  try {
    return [...Deno.readDirSync(folder)]
      .filter((entry) => entry.isFile && entry.name.startsWith(name) && entry.name !== name)
      .map((entry) => ({
        path: `${folder}/${entry.name}`,
        isPacked: PACKED.test(entry.name),
        ...ageOf(entry.name.slice(name.length).replace(PACKED, "")),
      }))
      .sort((a, b) => a.rank < b.rank ? 1 : a.rank > b.rank ? -1 : 0)
      .slice(0, RENAMED_MAX);
  } catch {
    return [];
  }
}

/**
 * The log that was written after one that has been renamed: the oldest of those that were renamed
 * since, or the one that is written to now. By their names, where that of the first one tells; by
 * the times of their last lines, where it is gone or its name tells nothing.
 *
 * @param path The log that is written to now.
 * @param after The one that was renamed: its id, and when it was written to last, Unix time in
 * milliseconds.
 * @returns `undefined` where nothing is written to now.
 */
export function nextLog(
  path: string,
  after: { readonly id: string; readonly writtenMs: number },
): NextLog | undefined {
  // Before the others: whoever opens it sees by its id whether it was renamed meanwhile.
  const now = idAt(path);
  if (now === undefined) return undefined;
  const others = found(path);
  const own = others.find(({ id }) => id === after.id) ?? { series: "", rank: "" };
  const newer = others.filter((log) =>
    log.id !== after.id && log.id !== now &&
    (own.series === ""
      ? log.writtenMs > after.writtenMs
      : log.series === own.series && log.rank > own.rank)
  ).reverse();
  const last = { path, id: now, missed: newer.length };
  if (newer.some(({ series }) => series === "" || series !== newer[0]?.series)) return last;
  const at = newer.findIndex(({ isPacked }) => !isPacked);
  const next = newer[at];
  return next === undefined ? last : { path: next.path, id: next.id, missed: at };
}

/**
 * What a file is known by while the host runs.
 *
 * @returns Device and inode, as `8:1234`.
 */
export function idOf({ dev, ino }: Deno.FileInfo): string {
  return `${dev}:${ino ?? 0}`;
}

/**
 * The same of what stands at a path.
 *
 * @returns `undefined` where nothing does.
 */
export function idAt(path: string): string | undefined {
  const info = infoOf(path);
  return info && idOf(info);
}

/** One that is being packed is there twice: it can be read still. */
function found(path: string): FoundLog[] {
  const all = renamedLogs(path).flatMap((log) => {
    const info = infoOf(log.path);
    return info === undefined
      ? []
      : [{ ...log, id: idOf(info), writtenMs: info.mtime?.getTime() ?? 0 }];
  });
  return all.filter((log) => !log.isPacked || !all.some((other) => isSourceOf(other, log)));
}

function isSourceOf(other: RenamedLog, { series, rank }: RenamedLog): boolean {
  return !other.isPacked && series !== "" && other.series === series && other.rank === rank;
}

/** Ranks of numbers go down, and none is empty: what tells nothing comes last. */
function ageOf(suffix: string): Pick<RenamedLog, "series" | "rank"> {
  const number = NUMBERED.exec(suffix)?.[1];
  if (number !== undefined) {
    return { series: "numbered", rank: String(999_999 - Number(number)).padStart(6, "0") };
  }
  const date = DATED.exec(suffix)?.[1];
  return date === undefined
    ? { series: "", rank: "" }
    : { series: "dated", rank: date.replaceAll("-", "") };
}

function infoOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}
