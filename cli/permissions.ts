import { JOURNAL_FOLDERS, LOG_FILES } from "../common/config/log_files.ts";
import { commandPath } from "../agent/guards/command_path.ts";
import { identityFiles } from "../agent/enrol/identity_paths.ts";
import { PIN_VARIABLES, pinnedEnvironment } from "../common/link/pin.ts";
import { absolutePath } from "./absolute_path.ts";
import { linkStatePath } from "./link_state_path.ts";
import { verbOf } from "./programs.ts";
import { rulesCopyIn } from "./supervise/rules_copy_path.ts";
import { USER_PROGRAMS } from "./supervise/user.ts";
import { type FlagValue, loadConfig } from "../common/config/load.ts";
import { type Config, OPTION_ENTRIES } from "../common/config/options.ts";
import { defaultStateFolder } from "../common/config/state_folder.ts";
import { statePaths } from "../common/config/state_paths.ts";

/** What a verb does with the host, and so what it may do. */
type Scope =
  | "sensor"
  | "files"
  | "rules"
  | "indicators"
  | "settings"
  | "client"
  | "status"
  | "audit"
  | "orders"
  | "ca_files"
  | "hive"
  | "agent"
  | "enroll"
  | "deliver"
  | "words"
  | "up"
  | "uninstall";

const SCOPES: Readonly<Record<string, Scope>> = {
  watch: "sensor",
  events: "sensor",
  doctor: "sensor",
  replay: "files",
  permissions: "files",
  rules: "rules",
  indicators: "indicators",
  config: "settings",
  status: "status",
  agents: "client",
  alerts: "client",
  users: "client",
  tokens: "client",
  audit: "audit",
  ca: "client",
  approvals: "client",
  herd: "client",
  directives: "orders",
  "kill-switch": "orders",
  hive: "hive",
  agent: "agent",
  enroll: "enroll",
  up: "up",
  uninstall: "uninstall",
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
  /** Folder with the program's own files, where that is not `root`. */
  readonly programs?: string;
  /** Folder that relative paths start from; default that of this process. */
  readonly cwd?: string;
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
  const scope = args.includes("--help") || args.includes("-h") ? undefined : scopeOf(args);
  const listing = scope !== undefined && LISTING_VARIABLES.has(verbOf(args) ?? "");
  const flags = [listing ? "--allow-env" : `--allow-env=${variables().join(",")}`];
  if (scope === undefined) return flags;
  const touched = configOf(args, surroundings);
  return [...flags, "--allow-sys=uid,hostname", ...SCOPE_FLAGS[scope](touched, surroundings)];
}

/**
 * The variables that a command line must be started with: an agent trusts its hive's certificate
 * and nothing else (common/link/pin.ts), and that is decided before a process starts.
 *
 * @param args Arguments of `immune`.
 * @returns Variables, none for most verbs.
 */
export function startVariables(args: readonly string[]): Readonly<Record<string, string>> {
  const scope = scopeOf(args);
  return PINNED.has(scope) ? pinnedEnvironment() : {};
}

function scopeOf(args: readonly string[]): Scope | undefined {
  const verb = verbOf(args) ?? "";
  const action = actionOf(args);
  if (verb === "replay" && args.includes("--deliver")) return "deliver";
  if (verb === "agent" && AGENT_ON_HOST.includes(action)) return "sensor";
  if (verb === "ca" && CA_ON_FILES.includes(action)) return "ca_files";
  if (verb === "herd" && HERD_WORDS.includes(action)) return "words";
  return Object.hasOwn(SCOPES, verb) ? SCOPES[verb] : undefined;
}

/**
 * The action of a verb that has some, else empty: the first word behind it that is not what a
 * setting is given. Flags that are no settings are known to actions alone, and so come behind them.
 */
function actionOf(args: readonly string[]): string {
  const verb = args.findIndex((arg) => !arg.startsWith("-"));
  // Bounded by the command line: each turn goes on by one or ends.
  for (let i = verb + 1; verb >= 0 && i < args.length; i++) {
    const arg = args[i] ?? "";
    if (!arg.startsWith("-")) return arg;
    if (SETTINGS.has(arg)) i++;
    else if (!arg.includes("=") && !SWITCHES.has(arg)) return "";
  }
  return "";
}

/** Settings that are given a word of its own, as they are typed. */
const SETTINGS: ReadonlySet<string> = new Set([
  "--config",
  ...OPTION_ENTRIES.filter(({ spec }) => spec.type !== "boolean").map(({ spec }) =>
    `--${spec.flag}`
  ),
]);

/** Flags that are given nothing. */
const SWITCHES: ReadonlySet<string> = new Set([
  "--json",
  ...OPTION_ENTRIES.filter(({ spec }) => spec.type === "boolean").map(({ spec }) =>
    `--${spec.flag}`
  ),
]);

/** Verbs that name variables which name no setting: to find them the environment is listed. */
const LISTING_VARIABLES: ReadonlySet<string> = new Set(["config", "doctor"]);

/** Scopes of what talks to the hive in an agent's name. */
const PINNED: ReadonlySet<Scope | undefined> = new Set(["agent", "deliver", "words"]);

/** Actions of `immune herd` that an agent's host says to the hive in its name. */
const HERD_WORDS: readonly string[] = ["vouch", "report", "propose", "support", "object"];

/** Actions of `immune agent` that need this host alone. */
const AGENT_ON_HOST: readonly string[] = ["capabilities", "release"];

/** Actions of `immune ca` that work on the hive's folder, not through its API. */
const CA_ON_FILES: readonly string[] = ["init", "import"];

type ScopeFlags = (touched: Touched, surroundings: Surroundings) => string[];

const SCOPE_FLAGS: Readonly<Record<Scope, ScopeFlags>> = {
  files: () => ["--allow-read"],
  rules: (touched, { root }) => [
    listed("--allow-read", [...settingsFiles(touched, root), ...touched.operands]),
    ...(touched.written.length > 0 ? [listed("--allow-write", touched.written)] : []),
  ],
  indicators: (touched, { root }) => [
    listed("--allow-read", [...touched.files, touched.state, root, ...touched.operands]),
    ...(touched.action === "import" || touched.action === "expire"
      ? [listed("--allow-write", [statePaths(touched.state).indicators])]
      : []),
  ],
  settings: (touched, { root }) => [listed("--allow-read", settingsFiles(touched, root))],
  sensor: sensorFlags,
  client: (touched) => clientFlags(touched, touched.certificates),
  // How this host's agent is, as it says itself.
  status: (touched) => {
    const { agent, logs, sensor } = statePaths(touched.state);
    return clientFlags(touched, [linkStatePath(agent), commandPath(agent), logs, sensor]);
  },
  audit: (touched) => clientFlags(touched, [`${touched.state}/hive/audit`]),
  // The folder with rules, shares in and out: what the command line names and nothing else.
  orders: (touched) => clientFlags(touched, [...touched.given, ...touched.written]),
  ca_files: (touched) => [
    listed("--allow-read", [
      ...touched.files,
      `${touched.state}/immune.toml`,
      `${touched.state}/hive`,
      ...touched.certificates,
    ]),
    listed("--allow-write", [`${touched.state}/hive`]),
  ],
  hive: (touched, { root, programs }) => [
    listed("--allow-read", [
      ...touched.files,
      `${touched.state}/immune.toml`,
      programs ?? root,
      ...touched.rules,
      rulesCopyIn(touched.state),
      `${touched.state}/hive`,
      `${touched.state}/operator.token`,
      ...touched.providerSecret,
    ]),
    listed("--allow-write", [`${touched.state}/hive`, `${touched.state}/operator.token`]),
    `--allow-net=${
      [touched.console, touched.agents, touched.enroll, ...touched.provider].join(",")
    }`,
  ],
  agent: (touched, surroundings) => [
    ...sensorFlags(touched, surroundings),
    `--allow-net=${[touched.delivery, ...touched.proxy].join(",")}`,
  ],
  deliver: (touched) => [
    "--allow-read",
    listed("--allow-write", [touched.state]),
    `--allow-net=${[touched.delivery, ...touched.proxy].join(",")}`,
  ],
  // The agent's identity in its state folder, and its hive.
  words: (touched) => [
    listed("--allow-read", [
      ...touched.files,
      `${touched.state}/immune.toml`,
      ...identityFiles(statePaths(touched.state).agent),
    ]),
    `--allow-net=${[touched.delivery, ...touched.proxy].join(",")}`,
  ],
  // Where to is what the token says, and that comes later. It starts itself once more, pinned.
  enroll: (touched) => [
    "--allow-read",
    listed("--allow-write", [touched.state]),
    listed("--allow-run", [Deno.execPath()]),
    "--allow-net",
  ],
  up: (touched, { root }) => [
    listed("--allow-read", [...settingsFiles(touched, root), "/etc/passwd", Deno.execPath()]),
    listed("--allow-write", [touched.state]),
    listed("--allow-run", [`${root}out/immune-run-as`, Deno.execPath(), USER_PROGRAMS.add]),
  ],
  uninstall: (touched, { root }) => [
    listed("--allow-read", [...settingsFiles(touched, root), "/etc/passwd"]),
    listed("--allow-write", [touched.state]),
    // It looks whether enforcement is pinned, below /sys: Deno lets nobody look there.
    listed("--allow-ffi", [`${root}out/libimmune_sensor.so`]),
    listed("--allow-run", [USER_PROGRAMS.remove]),
  ],
};

/** What talks to the operators' port: settings, tokens, and what the verb reads besides. */
function clientFlags(touched: Touched, read: readonly string[]): string[] {
  return [
    listed("--allow-read", [
      ...touched.files,
      `${touched.state}/immune.toml`,
      `${touched.state}/operator.token`,
      ...touched.secrets,
      ...read,
    ]),
    ...(touched.written.length > 0 ? [listed("--allow-write", touched.written)] : []),
    `--allow-net=${touched.console}`,
  ];
}

function settingsFiles(touched: Touched, root: string): string[] {
  // The program's own files: rules, and the modules that its Worker loads.
  return [...touched.files, ...touched.rules, touched.state, touched.btf, root];
}

function sensorFlags(touched: Touched, { root }: Surroundings): string[] {
  const system = ["/etc/machine-id", "/etc/passwd", ...touched.enforcement];
  return [
    listed("--allow-read", [
      ...settingsFiles(touched, root),
      ...system,
      ...touched.logs,
      // It looks whether somebody replaced what it runs from.
      Deno.execPath(),
    ]),
    listed("--allow-write", [touched.state]),
    listed("--allow-ffi", [`${root}out/libimmune_sensor.so`]),
  ];
}

function variables(): string[] {
  return ["IMMUNE_*", "XDG_STATE_HOME", ...PIN_VARIABLES, ...LIBRARY_VARIABLES];
}

function listed(flag: string, paths: readonly string[]): string {
  return `${flag}=${paths.map(withoutComma).join(",")}`;
}

/**
 * A comma ends a path in Deno's lists and nothing escapes it: what lies below a name with a comma
 * is reached by the folder above. A state folder with one is refused by its setting, so that this
 * never widens what may be written.
 */
function withoutComma(path: string): string {
  const comma = path.indexOf(",");
  return comma < 0 ? path : path.slice(0, path.lastIndexOf("/", comma)) || "/";
}

interface Touched {
  readonly state: string;
  readonly rules: readonly string[];
  readonly files: readonly string[];
  readonly btf: string;
  /** Folders of the logs that are read: a log is renamed beside itself. */
  readonly logs: readonly string[];
  /** What the verb is to do; empty where it has no actions. */
  readonly action: string;
  /** What the verb is given to read: files, folders, and words that may be such. */
  readonly operands: readonly string[];
  /** File with what this host refuses, where there is one. */
  readonly enforcement: readonly string[];
  /** Files with the operator's own token and key, and a log that is named to be checked. */
  readonly secrets: readonly string[];
  /** Hosts of the OpenID provider, and the file with this hive's secret there. */
  readonly provider: readonly string[];
  readonly providerSecret: readonly string[];
  /** Files and folders that an order is made from. */
  readonly given: readonly string[];
  /** Certificates, keys and requests that `immune ca` is given. */
  readonly certificates: readonly string[];
  /** What the verb is told to write. */
  readonly written: readonly string[];
  readonly console: string;
  readonly agents: string;
  readonly enroll: string;
  /** Where this host's agent delivers to, as its enrolment says. */
  readonly delivery: string;
  /** Proxy to the hive, where there is one. */
  readonly proxy: readonly string[];
}

/** An address that nothing answers at, for settings that do not hold. */
const NOWHERE = {
  console: "127.0.0.1:1",
  agents: "127.0.0.1:1",
  enroll: "127.0.0.1:1",
  delivery: "127.0.0.1:1",
  proxy: [],
} as const;

function deliveryOf(state: string): string | undefined {
  try {
    const { agents } = JSON.parse(Deno.readTextFileSync(`${state}/agent/agent.json`));
    return typeof agents === "string" ? agents : undefined;
  } catch {
    return undefined;
  }
}

function configOf(args: readonly string[], { environment, cwd }: Surroundings): Touched {
  const at = (path: string): string => absolutePath(path, cwd);
  const flags: Record<string, FlagValue | undefined> = {};
  const config = flagValues(args, "config").at(-1) ?? environment["IMMUNE_CONFIG"];
  const state = flagValues(args, "state").at(-1);
  const btf = flagValues(args, "btf").at(-1);
  const operands = args.filter((arg) => !arg.startsWith("-")).slice(1).map(at);
  const action = actionOf(args);
  const written = writtenBy(args).map(at);
  const ordered = ["share", "pack"].flatMap((name) => flagValues(args, name)).map(at);
  const certificates = certificatesOf(args).map(at);
  const rules = flagValues(args, "rules").map(at);
  const logs = flagValues(args, "logs-file").map(at);
  if (config) flags["config"] = at(config);
  if (state !== undefined) flags["state"] = at(state);
  if (btf !== undefined) flags["btf"] = at(btf);
  if (rules.length > 0) flags["rules"] = rules;
  if (logs.length > 0) flags["logs-file"] = logs;
  const journals = flagValues(args, "logs-journal").map(at);
  if (journals.length > 0) flags["logs-journal"] = journals;
  const readLogs = flagValues(args, "logs").at(-1);
  if (readLogs !== undefined) flags["logs"] = readLogs;
  const enforcement = flagValues(args, "enforcement-policy").at(-1);
  if (enforcement !== undefined) flags["enforcement-policy"] = at(enforcement);
  const token = flagValues(args, "api-token-file").at(-1);
  if (token !== undefined) flags["api-token-file"] = at(token);
  const secret = flagValues(args, "oidc-secret-file").at(-1);
  if (secret !== undefined) flags["oidc-secret-file"] = at(secret);
  const issuer = flagValues(args, "oidc-issuer").at(-1);
  if (issuer !== undefined) flags["oidc-issuer"] = issuer;
  const hosts = flagValues(args, "oidc-host");
  if (hosts.length > 0) flags["oidc-host"] = hosts;
  for (const name of ["console", "agents", "enroll", "proxy"]) {
    const address = flagValues(args, name).at(-1);
    if (address !== undefined) flags[name] = address;
  }
  const files = [...(config ? [at(config)] : []), "/etc/immune/immune.toml"];
  try {
    const { values } = loadConfig({ flags, environment });
    return {
      state: values.state.dir,
      rules: values.rules.paths.map(at),
      files,
      btf: values.sensor.btf,
      logs: values.logs.read === "on" ? foldersOf(values.logs) : [],
      action,
      operands,
      given: ordered,
      certificates,
      written,
      enforcement: values.enforcement.policy === "" ? [] : [at(values.enforcement.policy)],
      secrets: [
        ...(values.operators.token_file === "" ? [] : [values.operators.token_file]),
        ...["log", "key"].flatMap((name) => flagValues(args, name)).map(at),
      ],
      ...providerOf(values),
      ...values.hive,
      delivery: deliveryOf(values.state.dir) ?? values.hive.agents,
      proxy: values.agent.proxy === "" ? [] : [values.agent.proxy.slice("http://".length)],
    };
  } catch {
    // The program finds the same mistake and names it: it needs to read as far as that.
    const uid = Deno.uid() ?? 0;
    const given = state ?? environment["IMMUNE_STATE"];
    return {
      state: given === undefined ? defaultStateFolder({ environment, uid }) : at(given),
      rules,
      files,
      btf: at(btf ?? "/sys/kernel/btf/vmlinux"),
      logs: [],
      action,
      operands,
      given: ordered,
      certificates,
      written,
      enforcement: [],
      secrets: [],
      provider: [],
      providerSecret: [],
      ...NOWHERE,
    };
  }
}

/** Where the logs lie. */
function foldersOf({ files, journals }: Config["logs"]): string[] {
  const paths = files.length === 0 ? LOG_FILES : files;
  const folders = paths.map((path) => path.slice(0, path.lastIndexOf("/")) || "/");
  const isDefault = journals.length === 0 && files.length === 0;
  return [...new Set([...folders, ...(isDefault ? JOURNAL_FOLDERS : journals)])];
}

function providerOf({ operators }: Config): Pick<Touched, "provider" | "providerSecret"> {
  const { oidc_issuer: issuer, oidc_hosts: hosts, oidc_secret_file: secret } = operators;
  return {
    provider: issuer === "" ? [] : [new URL(issuer).host, ...hosts],
    providerSecret: secret === "" ? [] : [secret],
  };
}

/** What `immune ca` is given to read; no other verb has flags for that. */
function certificatesOf(args: readonly string[]): string[] {
  if (verbOf(args) !== "ca") return [];
  return ["request", "certificate", "key"].flatMap((name) => flagValues(args, name));
}

/** What `immune rules`, `immune herd genesis` and `immune kill-switch init` are told to write. */
function writtenBy(args: readonly string[]): string[] {
  const verb = verbOf(args);
  const action = actionOf(args);
  // A key that is made by it.
  if (verb === "herd" && args.includes("--new-key")) return flagValues(args, "key");
  if (verb === "kill-switch" && action === "init") return flagValues(args, "out");
  if (verb !== "rules") return [];
  if (action === "import") return flagValues(args, "into");
  return action === "coverage" ? flagValues(args, "navigator") : [];
}

function flagValues(args: readonly string[], name: string): string[] {
  return args.flatMap((arg, i) => {
    if (arg.startsWith(`--${name}=`)) return [arg.slice(name.length + 3)];
    const next = args[i + 1];
    return arg === `--${name}` && next !== undefined ? [next] : [];
  });
}
