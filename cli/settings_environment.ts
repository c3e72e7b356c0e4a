import { OPTION_ENTRIES } from "../common/config/options.ts";

/** Environment variables that the configuration may read, without all others. */
export function settingsEnvironment(): Record<string, string> {
  const names = [
    "IMMUNE_CONFIG",
    "HOME",
    "XDG_STATE_HOME",
    ...OPTION_ENTRIES.map((entry) => entry.variable),
  ];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
