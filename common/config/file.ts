import { parse, TomlError } from "smol-toml";
import { ImmuneError } from "./errors.ts";
import { nearest } from "./nearest.ts";
import type { FlagValue, Given } from "./load.ts";
import { CONFIG_VARIABLE, OPTION_ENTRIES } from "./options.ts";
import { type TomlLines, tomlLines } from "./toml_lines.ts";
import { isTable } from "./toml_table.ts";

/** Name of the configuration file. */
export const CONFIG_FILE = "immune.toml";
/** The host's configuration file. */
export const SYSTEM_CONFIG_FILE = `/etc/immune/${CONFIG_FILE}`;
/** Most bytes of a configuration file. */
export const CONFIG_FILE_BYTES_MAX = 1024 * 1024;

/**
 * Finds the configuration file: `--config`, `IMMUNE_CONFIG`, the state folder's, the host's.
 *
 * @param places Where to look.
 * @returns The first one that is named or exists, or `undefined`.
 */
export function findFile(places: {
  readonly flags: Readonly<Record<string, FlagValue | undefined>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** State folder. */
  readonly state: string;
  readonly systemFile?: string | undefined;
}): string | undefined {
  const named = places.flags["config"] ?? places.environment[CONFIG_VARIABLE];
  if (typeof named === "string" && named !== "") return named;
  return [`${places.state}/${CONFIG_FILE}`, places.systemFile ?? SYSTEM_CONFIG_FILE].find(exists);
}

/**
 * Reads a configuration file.
 *
 * @param path Its path.
 * @returns Values by `section.key`, with file and line as their origin.
 * @throws {ImmuneError} `FILE_UNREADABLE`, or `CONFIG_INVALID` when it is no TOML, holds a key that
 * does not exist, or anyone on the host may write it.
 */
export function readConfigFile(path: string): ReadonlyMap<string, Given> {
  const text = readText(path);
  const tables = parsed(path, text);
  const lines = tomlLines(text);
  const given = new Map<string, Given>();
  const sections = [...new Set(OPTION_ENTRIES.map(({ section }) => section as string))];
  for (const [section, table] of Object.entries(tables)) {
    if (!sections.includes(section) || !isTable(table)) {
      throw unknown({ path, lines, name: section, known: sections, what: "section" });
    }
    const known = OPTION_ENTRIES.filter((entry) => entry.section === section);
    for (const [key, value] of Object.entries(table)) {
      const name = `${section}.${key}`;
      if (!known.some((entry) => entry.key === key)) {
        throw unknown({ path, lines, name, known: known.map((entry) => entry.key), what: "key" });
      }
      given.set(name, { value, origin: place(path, { name, lines }) });
    }
  }
  return given;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    return true;
  }
}

function readText(path: string): string {
  try {
    const { size, mode } = Deno.statSync(path);
    if (size > CONFIG_FILE_BYTES_MAX) {
      throw invalid(path, `"${size}" bytes are over ${CONFIG_FILE_BYTES_MAX}`);
    }
    if (((mode ?? 0) & 0o002) !== 0) {
      throw invalid(path, `anyone may write it; run "chmod o-w ${path}"`);
    }
    return Deno.readTextFileSync(path);
  } catch (cause) {
    if (cause instanceof ImmuneError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("FILE_UNREADABLE", `Cannot read configuration "${path}": ${why}`, {
      cause,
    });
  }
}

function parsed(path: string, text: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const why = cause.message.split("\n")[0]?.replace(/^Invalid TOML document: /, "") ?? "";
    throw invalid(`${path}:${cause.line}`, why);
  }
}

function unknown({ path, lines, name, known, what }: {
  readonly path: string;
  readonly lines: TomlLines;
  readonly name: string;
  readonly known: readonly string[];
  readonly what: "section" | "key";
}): ImmuneError {
  const own = name.split(".").at(-1) ?? name;
  const meant = nearest(own, known);
  const hint = meant === undefined || meant === own
    ? `known are ${known.map((each) => `"${each}"`).join(", ")}`
    : `did you mean "${meant}"`;
  return invalid(place(path, { name, lines }), `"${name}" is no ${what}; ${hint}`);
}

function place(
  path: string,
  { name, lines }: { readonly name: string; readonly lines: TomlLines },
): string {
  const line = lines.get(name);
  return line === undefined ? path : `${path}:${line}`;
}

function invalid(where: string, why: string): ImmuneError {
  return new ImmuneError("CONFIG_INVALID", `Cannot use configuration "${where}": ${why}`);
}
