import { type Command, InvalidArgumentError } from "commander";
import { type FlagValue, loadConfig, type LoadedConfig } from "../common/config/load.ts";
import { OPTION_ENTRIES, type OptionEntry } from "../common/config/options.ts";
import { absolutePath } from "./absolute_path.ts";
import { settingsEnvironment } from "./settings_environment.ts";

/** Keys whose flags are paths: a relative one is relative to where the command was typed. */
const PATH_KEYS: ReadonlySet<string> = new Set([
  "state.dir",
  "sensor.btf",
  "rules.paths",
  "logs.files",
  "logs.journals",
  "enforcement.policy",
  "operators.token_file",
  "operators.oidc_secret_file",
]);
/** Keys that have options of their own in the verbs that know them. */
const OWN_OPTIONS: ReadonlySet<string> = new Set(["output.json"]);

/** What a verb does with settings. */
export interface SettingsOptions {
  /** Whether those that concern the hive alone are among them. Default false. */
  readonly hive?: boolean;
}

/**
 * Adds the configuration's flags to a verb.
 *
 * @param command The verb.
 * @param options Which of them.
 * @returns The verb.
 */
export function addSettings(command: Command, options: SettingsOptions = {}): Command {
  command.option("--config <file>", "configuration file (default: immune.toml, see config show)");
  for (const entry of OPTION_ENTRIES) {
    if (OWN_OPTIONS.has(entry.name)) continue;
    if (entry.spec.only === "hive" && options.hive !== true) continue;
    const doc = entry.spec.type === "list" ? `${entry.spec.doc}; may be repeated` : entry.spec.doc;
    command.option(flagOf(entry), doc, parserOf(entry));
  }
  return command;
}

/**
 * Adds the flags that say where rules are.
 *
 * @param command A verb that only reads rules.
 * @returns The verb.
 */
export function addRuleSettings(command: Command): Command {
  return addSetting(command, { name: "rules.paths", more: "; may be repeated" });
}

/**
 * Adds the flags that say where the state folder is.
 *
 * @param command A verb that needs nothing else.
 * @returns The verb.
 */
export function addStateSettings(command: Command): Command {
  return addSetting(command, { name: "state.dir", more: "" });
}

function addSetting(
  command: Command,
  { name, more }: { readonly name: string; readonly more: string },
): Command {
  command.option("--config <file>", "configuration file (default: immune.toml, see config show)");
  for (const entry of OPTION_ENTRIES) {
    if (entry.name !== name) continue;
    command.option(flagOf(entry), `${entry.spec.doc}${more}`, parserOf(entry));
  }
  return command;
}

/**
 * The configuration of one run: flags over environment over file over default.
 *
 * @param command The verb, parsed.
 * @returns Values with their origins.
 * @throws {ImmuneError} `CONFIG_INVALID` or `FILE_UNREADABLE`.
 */
export function settingsOf(command: Command): LoadedConfig {
  const given = command.opts<Record<string, FlagValue | undefined>>();
  const flags: Record<string, FlagValue | undefined> = { config: given["config"] };
  for (const { spec } of OPTION_ENTRIES) {
    const attribute = spec.flag.replaceAll(
      /-([a-z])/g,
      (_, letter: string) => letter.toUpperCase(),
    );
    flags[spec.flag] = given[attribute];
  }
  return loadConfig({ flags, environment: settingsEnvironment() });
}

function flagOf({ spec }: OptionEntry): string {
  if (spec.type === "boolean") return `--${spec.flag}`;
  return `--${spec.flag} <${spec.type === "list" ? "path" : "value"}>`;
}

function parserOf(
  { name, spec }: OptionEntry,
): (text: string, before: unknown) => FlagValue {
  return (text, before) => {
    if (text === "") throw new InvalidArgumentError("It is empty.");
    const value = PATH_KEYS.has(name) ? absolutePath(text) : text;
    return spec.type === "list" ? [...(Array.isArray(before) ? before : []), value] : value;
  };
}
