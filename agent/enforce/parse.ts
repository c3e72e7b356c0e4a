import { createHash } from "node:crypto";
import { parse, TomlError } from "smol-toml";
import { ImmuneError } from "../../common/config/errors.ts";
import { nearest } from "../../common/config/nearest.ts";
import { isTable } from "../../common/config/toml_table.ts";
import { type EnforcementPolicy, ENTRIES_MAX, type Entry } from "./policy.ts";
import { ACTIONS_PER_MINUTE, ACTIONS_PER_MINUTE_MAX, POLICY_TEXT_BYTES_MAX } from "./policy.ts";
import { ENTRY_KEYS, readEntry, Unfit } from "./entry.ts";
import { PROTECTED_PROGRAMS } from "./protected.ts";

/** What a policy's text does not say itself. */
export interface ParseOptions {
  /** What errors call the text. */
  readonly file: string;
  /** Home folders, for paths that start with `~/`. */
  readonly homes: readonly string[];
}

const POLICY_KEYS = ["actions_per_minute", "protect", "entry"] as const;

/**
 * Reads an enforcement policy.
 *
 * @param text TOML; specs/enforcement.md has its keys.
 * @param options Name of the text, and home folders.
 * @returns The policy.
 * @throws {ImmuneError} `CONFIG_INVALID` with file, line, and what does not hold.
 */
export function parseEnforcement(text: string, options: ParseOptions): EnforcementPolicy {
  const { file } = options;
  const fail = (line: number | undefined, why: string): never => {
    throw new ImmuneError(
      "CONFIG_INVALID",
      `Cannot use enforcement policy "${line === undefined ? file : `${file}:${line}`}": ${why}`,
    );
  };
  if (text.length > POLICY_TEXT_BYTES_MAX) {
    fail(undefined, `it has over ${POLICY_TEXT_BYTES_MAX} characters`);
  }
  const table = tableOf(text, fail);
  const lines = text.split("\n");
  unknownKey(Object.keys(table), POLICY_KEYS, (key, why) => fail(lineOf(lines, key), why));
  const { actions_per_minute: actions = ACTIONS_PER_MINUTE, protect = [], entry: given = [] } =
    table;
  if (!isWhole(actions, 1, ACTIONS_PER_MINUTE_MAX)) {
    fail(
      lineOf(lines, "actions_per_minute"),
      `"actions_per_minute" must be a whole number from 1 to ${ACTIONS_PER_MINUTE_MAX}`,
    );
  }
  if (!isPaths(protect)) {
    fail(lineOf(lines, "protect"), `"protect" must be a list of absolute paths`);
  }
  if (!Array.isArray(given)) fail(undefined, `write entries as "[[entry]]"`);
  const tables = given as readonly unknown[];
  if (tables.length > ENTRIES_MAX) {
    fail(undefined, `it has ${tables.length} entries, at most ${ENTRIES_MAX} are allowed`);
  }
  const starts = lines.flatMap((line, i) => /^\s*\[\[\s*entry\s*\]\]/.test(line) ? [i] : []);
  const protectedPaths = new Set([...PROTECTED_PROGRAMS, ...protect as readonly string[]]);
  const entries = tables.map((value, i): Entry => {
    const from = starts[i] ?? 0;
    const at = (key: string): number => lineOf(lines, key, from, starts[i + 1]) ?? from + 1;
    try {
      if (!isTable(value)) throw new Unfit("name", "an entry must be a table");
      unknownKey(Object.keys(value), ENTRY_KEYS, (key, why) => {
        throw new Unfit(key, why);
      });
      return readEntry(value, { homes: options.homes, protected: protectedPaths });
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      return fail(at(error.key), `entry ${i + 1}: ${error.message}`);
    }
  });
  const twice = entries.findIndex(({ name }, i) =>
    entries.findIndex((entry) => entry.name === name) !== i
  );
  if (twice >= 0) fail((starts[twice] ?? 0) + 1, `two entries have the name of entry ${twice + 1}`);
  return {
    entries,
    actionsPerMinute: actions as number,
    protect: protect as readonly string[],
    hash: createHash("sha256").update(text).digest("hex"),
  };
}

function tableOf(
  text: string,
  fail: (line: number | undefined, why: string) => never,
): Readonly<Record<string, unknown>> {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const why = cause.message.split("\n")[0]?.replace(/^Invalid TOML document: /, "") ?? "";
    return fail(cause.line, why);
  }
}

function unknownKey(
  keys: readonly string[],
  known: readonly string[],
  fail: (key: string, why: string) => void,
): void {
  const key = keys.find((name) => !known.includes(name));
  if (key === undefined) return;
  const meant = nearest(key, known);
  const hint = meant === undefined ? `known are ${known.join(", ")}` : `did you mean "${meant}"`;
  fail(key, `"${key}" is no key; ${hint}`);
}

/** The line of a key, from 1, between two lines. */
function lineOf(
  lines: readonly string[],
  key: string,
  from = 0,
  to = lines.length,
): number | undefined {
  const at = lines.findIndex((line, i) =>
    i >= from && i < to && line.trimStart().split(/[\s=]/)[0] === key
  );
  return at < 0 ? undefined : at + 1;
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
}

function isPaths(value: unknown): value is readonly string[] {
  return Array.isArray(value) &&
    value.every((path) => typeof path === "string" && path.startsWith("/"));
}
