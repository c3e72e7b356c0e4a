import { OPTION_ENTRIES } from "../common/config/options.ts";

/** Which variables are looked for. */
export interface SettingsEnvironmentOptions {
  /**
   * Whether the names of all variables that start with `IMMUNE_` come too, empty where they name no
   * key: it takes the permission to list the environment. Default false.
   */
  readonly names?: boolean;
}

/**
 * Environment variables that the configuration may read, without all others.
 *
 * @param options Whether names come that it does not know.
 */
export function settingsEnvironment(
  options: SettingsEnvironmentOptions = {},
): Record<string, string> {
  const names = [
    "IMMUNE_CONFIG",
    "HOME",
    "XDG_STATE_HOME",
    ...OPTION_ENTRIES.map((entry) => entry.variable),
  ];
  const known = names.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries([...options.names === true ? ourNames() : [], ...known]);
}

/** Without their values: what they hold is nothing that this program knows. */
function ourNames(): (readonly [name: string, value: string])[] {
  return Object.keys(Deno.env.toObject()).filter((name) => name.startsWith("IMMUNE_"))
    .map((name) => [name, ""]);
}
