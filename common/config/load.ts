import { findFile, readConfigFile } from "./file.ts";
import { ImmuneError } from "./errors.ts";
import {
  type Config,
  CONFIG_VARIABLE,
  OPTION_ENTRIES,
  type OptionEntry,
  type OptionType,
} from "./options.ts";
import { defaultStateFolder } from "./state_folder.ts";

/** Names Deno to the launcher: no key, and known all the same. */
const RUNTIME_VARIABLE = "IMMUNE_DENO";

/** A value as a command line gives it. */
export type FlagValue = string | number | boolean | readonly string[];

/** What a configuration is made from. */
export interface ConfigSources {
  /** Flags by their name without dashes (`"journal-flush-ms"`); `"config"` names a file. */
  readonly flags?: Readonly<Record<string, FlagValue | undefined>>;
  /** Environment variables. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** User id of the process; 0 is root. Default: that of this process. */
  readonly uid?: number;
  /** Looked for last. Default `/etc/immune/immune.toml`. */
  readonly systemFile?: string;
}

/** Where a value came from: `flag --state`, `environment IMMUNE_STATE`, `/path:7`, `default`. */
export type Origin = string;

/** A configuration and where each of its values came from. */
export interface LoadedConfig {
  readonly values: Config;
  /** By `section.key`, in the order of the schema. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** The file that was read; absent when there is none. */
  readonly file?: string;
  /** Variables that start with `IMMUNE_` and name no key. */
  readonly unknownVariables: readonly string[];
}

/**
 * Makes the configuration: flags over environment over file over default.
 *
 * @param sources What was given.
 * @returns Values, checked, with their origins.
 * @throws {ImmuneError} `CONFIG_INVALID` naming the place of a value or key that does not hold,
 * `FILE_UNREADABLE` when a file that was asked for cannot be read.
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const { flags = {}, environment = {} } = sources;
  const uid = sources.uid ?? Deno.uid() ?? 0;
  const state = stateOf(flags, environment) ?? defaultStateFolder({ environment, uid });
  const found = findFile({ flags, environment, state, systemFile: sources.systemFile });
  const file = found === undefined ? undefined : readConfigFile(found);
  const values: Record<string, Record<string, unknown>> = {};
  const origins = new Map<string, Origin>();
  for (const entry of OPTION_ENTRIES) {
    const initial = entry.name === "state.dir" ? state : entry.spec.initial;
    const given = fromFlag(entry, flags) ?? fromVariable(entry, environment) ??
      file?.get(entry.name);
    const { value, origin } = given ?? { value: initial, origin: "default" };
    (values[entry.section] ??= {})[entry.key] = check(entry, { value, origin });
    origins.set(entry.name, origin);
  }
  const config = values as Config;
  checkTogether(config, origins);
  const known = new Set([
    CONFIG_VARIABLE,
    RUNTIME_VARIABLE,
    ...OPTION_ENTRIES.map(({ variable }) => variable),
  ]);
  const unknownVariables = Object.keys(environment)
    .filter((name) => name.startsWith("IMMUNE_") && !known.has(name)).sort();
  const loaded = { values: config, origins, unknownVariables };
  return found === undefined ? loaded : { ...loaded, file: found };
}

/** A value with its origin. */
export interface Given {
  readonly value: unknown;
  readonly origin: Origin;
}

function stateOf(
  flags: Readonly<Record<string, FlagValue | undefined>>,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const entry = OPTION_ENTRIES.find(({ name }) => name === "state.dir");
  const given = entry && (fromFlag(entry, flags) ?? fromVariable(entry, environment));
  return entry && given ? check(entry, given) as string : undefined;
}

function fromFlag(
  { spec }: OptionEntry,
  flags: Readonly<Record<string, FlagValue | undefined>>,
): Given | undefined {
  const raw = flags[spec.flag];
  if (raw === undefined) return undefined;
  const origin = `flag --${spec.flag}`;
  if (spec.type === "list") return { value: typeof raw === "string" ? [raw] : raw, origin };
  return { value: typeof raw === "string" ? parsed(raw, spec.type) : raw, origin };
}

function fromVariable(
  { spec, variable }: OptionEntry,
  environment: Readonly<Record<string, string | undefined>>,
): Given | undefined {
  const raw = environment[variable];
  if (raw === undefined || raw === "") return undefined;
  return { value: parsed(raw, spec.type), origin: `environment ${variable}` };
}

/** A text as a value of the type, or the text itself when it is none: the schema then says so. */
function parsed(text: string, type: OptionType): unknown {
  switch (type) {
    case "text":
      return text;
    case "list":
      return text.split(":").filter((part) => part !== "");
    case "number":
      return /^-?\d+$/.test(text) ? Number(text) : text;
    case "boolean":
      if (text === "true" || text === "1") return true;
      return text === "false" || text === "0" ? false : text;
  }
}

function check({ name, spec }: OptionEntry, { value, origin }: Given): unknown {
  const result = spec.schema.safeParse(value);
  if (result.success) return result.data;
  const why = result.error.issues[0]?.message ?? "it does not hold";
  const shown = JSON.stringify(value);
  throw new ImmuneError(
    "CONFIG_INVALID",
    `Cannot use ${shown} from ${origin} as ${name} (${spec.doc}): ${lowered(why)}`,
  );
}

function checkTogether({ journal }: Config, origins: ReadonlyMap<string, Origin>): void {
  if (journal.total_bytes >= 2 * journal.segment_bytes) return;
  throw new ImmuneError(
    "CONFIG_INVALID",
    `Cannot use "${journal.total_bytes}" from ${origins.get("journal.total_bytes")} as ` +
      `journal.total_bytes: at least two segments of "${journal.segment_bytes}" bytes are needed`,
  );
}

function lowered(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
