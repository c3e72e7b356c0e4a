import { ImmuneError } from "../config/errors.ts";
import {
  RULE_FILES_MAX,
  RULE_FOLDER_BYTES_MAX,
  RULE_FOLDER_DEPTH_MAX,
  RULE_SOURCE_BYTES_MAX,
} from "./limits.ts";
import type { RuleSource } from "./parse_rules.ts";

const RULE_FILE = /\.ya?ml$/i;
/** Folders beside rules that hold data of other kinds. */
const OTHER_DATA: ReadonlySet<string> = new Set(["playbooks"]);

/**
 * Reads a rule file, or all rule files (`*.yml`, `*.yaml`) below a folder. Folders whose name
 * starts with a dot, and those called `playbooks`, are left out; symbolic links are
 * followed, a folder is read once.
 *
 * @param path File or folder.
 * @returns The files' texts, sorted by path. A file that cannot be read has a `problem`.
 * @throws {ImmuneError} `FILE_UNREADABLE` when the path itself cannot be read, `RULE_SET_TOO_LARGE`
 * when there are more files than `RULE_FILES_MAX`,
 * or more bytes in them than `RULE_FOLDER_BYTES_MAX`.
 */
export async function readRuleSources(path: string): Promise<RuleSource[]> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(path);
  } catch (cause) {
    throw new ImmuneError("FILE_UNREADABLE", `Cannot read rules at "${path}": ${textOf(cause)}`, {
      cause,
    });
  }
  if (!info.isDirectory) return [await readSource(path)];
  const files: string[] = [];
  await collect(path, { files, seen: new Set(), depth: 0 });
  files.sort();
  const sources: RuleSource[] = [];
  let length = 0;
  for (const file of files) {
    const source = await readFound(file);
    length += source.text.length;
    if (length > RULE_FOLDER_BYTES_MAX) {
      const most = `${RULE_FOLDER_BYTES_MAX} bytes`;
      throw new ImmuneError(
        "RULE_SET_TOO_LARGE",
        `Cannot read rules at "${path}": its files have more than ${most}; load a part`,
      );
    }
    sources.push(source);
  }
  return sources;
}

interface Walk {
  readonly files: string[];
  /** Real paths of the folders that were read. */
  readonly seen: Set<string>;
  readonly depth: number;
}

async function collect(folder: string, walk: Walk): Promise<void> {
  if (walk.depth > RULE_FOLDER_DEPTH_MAX) {
    const most = `${RULE_FOLDER_DEPTH_MAX} levels`;
    throw new ImmuneError(
      "RULE_SET_TOO_LARGE",
      `Cannot read rules at "${folder}": folders are nested deeper than ${most}; load a part`,
    );
  }
  try {
    const real = await Deno.realPath(folder);
    if (walk.seen.has(real)) return;
    walk.seen.add(real);
    const entries = await Array.fromAsync(Deno.readDir(folder));
    entries.sort((a, b) => a.name < b.name ? -1 : 1);
    for (const entry of entries) await visit(`${folder.replace(/\/+$/, "")}/${entry.name}`, walk);
  } catch (cause) {
    if (cause instanceof ImmuneError) throw cause;
    throw new ImmuneError("FILE_UNREADABLE", `Cannot read rules at "${folder}": ${textOf(cause)}`, {
      cause,
    });
  }
}

async function visit(path: string, walk: Walk): Promise<void> {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const info = await Deno.stat(path).catch(() => undefined);
  if (info?.isDirectory === true) {
    if (!name.startsWith(".") && !OTHER_DATA.has(name)) {
      await collect(path, { ...walk, depth: walk.depth + 1 });
    }
    return;
  }
  if (!RULE_FILE.test(name)) return;
  if (walk.files.length === RULE_FILES_MAX) {
    throw new ImmuneError(
      "RULE_SET_TOO_LARGE",
      `Cannot read rules at "${path}": there are more than ${RULE_FILES_MAX} files; load a part`,
    );
  }
  walk.files.push(path);
}

/** A file of a folder: opening a named pipe there would wait for a writer that never comes. */
async function readFound(path: string): Promise<RuleSource> {
  const info = await Deno.stat(path).catch(() => undefined);
  if (info?.isFile === false) return { path, text: "", problem: "It is no regular file" };
  return await readSource(path);
}

async function readSource(path: string): Promise<RuleSource> {
  try {
    const bytes = await readBounded(path);
    if (bytes === undefined) {
      return { path, text: "", problem: `File is longer than ${RULE_SOURCE_BYTES_MAX} bytes` };
    }
    return { path, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch (cause) {
    const problem = cause instanceof TypeError ? "File is not UTF-8" : textOf(cause);
    return { path, text: "", problem };
  }
}

/** Bytes of a file, or `undefined` when there are too many; a pipe does not tell its size. */
async function readBounded(path: string): Promise<Uint8Array | undefined> {
  using file = await Deno.open(path);
  const { isFile, size } = await file.stat();
  const expected = isFile ? Math.min(size, RULE_SOURCE_BYTES_MAX) : RULE_SOURCE_BYTES_MAX;
  const bytes = new Uint8Array(expected + 1);
  let length = 0;
  while (length < bytes.length) {
    const read = await file.read(bytes.subarray(length));
    if (read === null) return bytes.subarray(0, length);
    length += read;
  }
  // More than a file's size is here only if it grew since: then it is read as it was.
  return isFile && size <= RULE_SOURCE_BYTES_MAX ? bytes.subarray(0, expected) : undefined;
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
