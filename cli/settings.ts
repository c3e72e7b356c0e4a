import { type Command, InvalidArgumentError } from "commander";
import { type FlagValue, loadConfig, type LoadedConfig } from "../common/config/load.ts";
import { OPTION_ENTRIES, type OptionEntry } from "../common/config/options.ts";
import { absolutePath } from "./absolute_path.ts";
import { nearest } from "../common/config/nearest.ts";
import { tell } from "./output.ts";
import { visible } from "./render/terminal.ts";
import { settingsEnvironment, type SettingsEnvironmentOptions } from "./settings_environment.ts";

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
 * @param options Whether variables are named that name no key; default false.
 * @returns Values with their origins.
 * @throws {ImmuneError} `CONFIG_INVALID` or `FILE_UNREADABLE`.
 */
export function settingsOf(
  command: Command,
  options: SettingsEnvironmentOptions = {},
): LoadedConfig {
  const given = command.opts<Record<string, FlagValue | undefined>>();
  const flags: Record<string, FlagValue | undefined> = { config: given["config"] };
  for (const { spec } of OPTION_ENTRIES) {
    const attribute = spec.flag.replaceAll(
      /-([a-z])/g,
      (_, letter: string) => letter.toUpperCase(),
    );
    flags[spec.flag] = given[attribute];
  }
  return loadConfig({ flags, environment: settingsEnvironment(options) });
}

/**
 * Says which variables name no setting, on standard error: they are no mistake of the program's to
 * stop at, as others may set them.
 *
 * @param loaded The configuration, with their names.
 */
export function tellUnknownVariables({ unknownVariables }: LoadedConfig): void {
  const known = OPTION_ENTRIES.map(({ variable }) => variable);
  for (const name of unknownVariables) {
    const meant = nearest(name, known);
    const hint = meant === undefined ? "" : `; is "${meant}" meant`;
    tell(`immune: Variable "${visible(name)}" names no setting and is not used${hint}`);
  }
}

function flagOf({ spec }: OptionEntry): string {
  if (spec.type === "boolean") return `--${spec.flag}`;
  return `--${spec.flag} <${spec.valueName ?? "value"}>`;
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
