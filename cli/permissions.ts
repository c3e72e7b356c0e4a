import { resolve } from "node:path";
import { type FlagValue, loadConfig } from "../common/config/mod.ts";

/** What a verb does with the host, and so what it may do. */
type Scope = "sensor" | "files" | "settings";

const SCOPES: Readonly<Record<string, Scope>> = {
  watch: "sensor",
  events: "sensor",
  doctor: "sensor",
  replay: "files",
  rules: "files",
  config: "settings",
};

/** Variables that the command line, YAML and path libraries look at. */
const LIBRARY_VARIABLES = [
  "NO_COLOR",
  "FORCE_COLOR",
  "CLICOLOR_FORCE",
  "HOME",
  "LOG_TOKENS",
  "LOG_STREAM",
];

/** Where the program lies and what it was started with. */
export interface Surroundings {
  /** The project's folder, with a slash at its end. */
  readonly root: string;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * The exact permissions that a command line needs, as flags of `deno run`. What a verb reads or
 * writes depends on its settings, so they are looked at here; settings that do not hold give the
 * least permissions, and the program then says what is wrong.
 *
 * @param args Arguments of `immune`.
 * @param surroundings Place of the program and environment.
 * @returns Flags for `deno run`.
 */
export function permissionFlags(args: readonly string[], surroundings: Surroundings): string[] {
  const verb = args.find((arg) => !arg.startsWith("-")) ?? "";
  const scope = args.includes("--help") || args.includes("-h") ? undefined : SCOPES[verb];
  const flags = [`--allow-env=${variables().join(",")}`];
  if (scope === undefined) return flags;
  flags.push("--allow-sys=uid,hostname");
  const config = configOf(args, surroundings);
  if (scope === "files") return [...flags, "--allow-read"];
  const readable = [
    ...config.files,
    ...config.rules,
    config.state,
    // The program's own files: rules, and the modules that its Worker loads.
    surroundings.root,
  ];
  if (scope === "settings") return [...flags, listed("--allow-read", readable)];
  return [
    ...flags,
    listed("--allow-read", [...readable, "/etc/machine-id", "/etc/passwd"]),
    listed("--allow-write", [config.state]),
    listed("--allow-ffi", [`${surroundings.root}out/libimmune_sensor.so`]),
  ];
}

function variables(): string[] {
  return ["IMMUNE_*", "XDG_STATE_HOME", ...LIBRARY_VARIABLES];
}

function listed(flag: string, paths: readonly string[]): string {
  // A comma ends a path in Deno's list; doubled it stands for itself.
  return `${flag}=${paths.map((path) => path.replaceAll(",", ",,")).join(",")}`;
}

interface Touched {
  readonly state: string;
  readonly rules: readonly string[];
  readonly files: readonly string[];
}

function configOf(args: readonly string[], { environment }: Surroundings): Touched {
  const flags: Record<string, FlagValue | undefined> = {};
  const config = flagValues(args, "config").at(-1);
  const state = flagValues(args, "state").at(-1);
  const rules = flagValues(args, "rules").map((path) => resolve(path));
  if (config !== undefined) flags["config"] = config;
  if (state !== undefined) flags["state"] = resolve(state);
  if (rules.length > 0) flags["rules"] = rules;
  const named = [config, environment["IMMUNE_CONFIG"]].filter((path) => path !== undefined);
  const files = [...named.map((path) => resolve(path)), "/etc/immune/immune.toml"];
  try {
    const { values } = loadConfig({ flags, environment });
    return {
      state: values.state.dir,
      rules: values.rules.paths.map((path) => resolve(path)),
      files,
    };
  } catch {
    return { state: resolve(state ?? "/nonexistent"), rules, files };
  }
}

function flagValues(args: readonly string[], name: string): string[] {
  return args.flatMap((arg, i) => {
    if (arg.startsWith(`--${name}=`)) return [arg.slice(name.length + 3)];
    const next = args[i + 1];
    return arg === `--${name}` && next !== undefined ? [next] : [];
  });
}
