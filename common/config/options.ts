import * as z from "zod";
import {
  FLUSH_INTERVAL_MS,
  SEGMENT_BYTES,
  SEGMENT_BYTES_MIN,
  TOTAL_BYTES,
} from "../journal/options.ts";
import { TWO_PERSON_ACTS, type TwoPersonAct } from "./two_person.ts";

/** Most entries of a list in the configuration. */
export const LIST_MAX = 4096;
/** Smallest ring, in bytes: a page. */
export const RING_BYTES_MIN = 4096;
/** Largest ring, in bytes. */
export const RING_BYTES_MAX = 256 * 1024 * 1024;

/** Smallest bound of the hive's store, in bytes. */
export const STORE_BYTES_MIN = 16 * 1024 * 1024;

/** How the text of a flag or variable becomes a value. */
export type OptionType = "text" | "number" | "boolean" | "list";

/** One key of the configuration. */
export interface OptionSpec<T> {
  readonly type: OptionType;
  /** Its flag without the dashes; the variable is `IMMUNE_` and the flag in capitals. */
  readonly flag: string;
  /** What holds. */
  readonly schema: z.ZodType<T>;
  /** Its value when nothing is said; `state.dir` depends on who runs. */
  readonly initial: T;
  /** What it is, with its unit. */
  readonly doc: string;
  /** What its value is called in the help. Default `value`. */
  readonly valueName?: string;
  /** The only part of the program that it concerns. Default: all. */
  readonly only?: "hive";
}

/** Longest time between two canaries, in hours: one of them holds for 48. */
const CANARY_HOURS_MAX = 47;

function option<T>(spec: OptionSpec<T>): OptionSpec<T> {
  return spec;
}

const path = z.string().min(1).max(4095)
  .refine((text) => !/[\0\n\r]/.test(text), "must hold no NUL and no line break");
const absolute = path.refine((text) => text.startsWith("/"), "must be an absolute path");
// The program may write there and nowhere else, and Deno cannot list a path with a comma.
const stateFolder = absolute.refine((text) => !text.includes(","), "must hold no comma");
const address = z.string().regex(
  /^(?:\[[0-9a-fA-F:.]+\]|[^\s:[\]]{1,253}):(?:[1-9]\d{0,4}|0)$/,
  "must be HOST:PORT, an IPv6 host in brackets",
);
const ring = z.int().min(RING_BYTES_MIN).max(RING_BYTES_MAX)
  .refine((bytes) => Number.isInteger(Math.log2(bytes)), "must be a power of two");

/** Every key that `immune.toml` may hold, by section. */
export const OPTIONS = {
  state: {
    dir: option<string>({
      type: "text",
      flag: "state",
      schema: stateFolder,
      initial: "",
      doc: "state folder",
    }),
  },
  sensor: {
    lifecycle_ring_bytes: option<number>({
      type: "number",
      flag: "sensor-lifecycle-ring-bytes",
      schema: ring,
      initial: 4 * 1024 * 1024,
      doc: "bytes of the ring of exec, fork, exit and identity; a power of two",
    }),
    bulk_ring_bytes: option<number>({
      type: "number",
      flag: "sensor-bulk-ring-bytes",
      schema: z.union([z.literal(0), ring]),
      initial: 0,
      doc: "bytes of the ring of connect, bind and open; a power of two; 0 = 4 MiB, or 16 MiB " +
        "where more than watched opens are reported at the start",
    }),
    open: option<"watched" | "rules" | "wide">({
      type: "text",
      flag: "sensor-open",
      schema: z.enum(["watched", "rules", "wide"]),
      initial: "watched",
      doc: "which opens are reported: those of watched files, those that a rule could need, or all",
    }),
    connections: option<"all" | "rules">({
      type: "text",
      flag: "sensor-connections",
      schema: z.enum(["all", "rules"]),
      initial: "all",
      doc:
        "which connects, binds, listens, accepts and flows are reported: all of the kinds that " +
        "rules and indicators ask for, or those that a rule, an indicator or an AI workload needs",
    }),
    wake_interval_us: option<number>({
      type: "number",
      flag: "sensor-wake-interval-us",
      schema: z.int().min(0).max(1_000_000),
      initial: 4000,
      doc: "what comes after a batch is gathered so long, microseconds, unless a ring fills; " +
        "0 = an exec is read at once",
    }),
    process_rate: option<number>({
      type: "number",
      flag: "sensor-process-rate",
      schema: z.int().min(0).max(10_000_000),
      initial: 0,
      doc: "connects, opens and the like a second of one process and kind; over it they are " +
        "folded, that is counted; 0 = no limit",
    }),
    cgroup_rate: option<number>({
      type: "number",
      flag: "sensor-cgroup-rate",
      schema: z.int().min(0).max(10_000_000),
      initial: 0,
      doc: "the same of one cgroup, so of one container",
    }),
    btf: option<string>({
      type: "text",
      flag: "btf",
      schema: absolute,
      initial: "/sys/kernel/btf/vmlinux",
      doc: "type information of the running kernel",
    }),
    watch: option<readonly string[]>({
      type: "list",
      flag: "sensor-watch",
      valueName: "path",
      schema: z.array(absolute).max(LIST_MAX),
      initial: [],
      doc: 'watched besides what rules name: "/a" a file, "/a/" the files in it, "/a/**" all below',
    }),
  },
  rules: {
    paths: option<readonly string[]>({
      type: "list",
      flag: "rules",
      valueName: "path",
      schema: z.array(path).max(LIST_MAX),
      initial: [],
      doc: "rule files and folders; none = the rules that come with the program",
    }),
  },
  logs: {
    read: option<"on" | "off">({
      type: "text",
      flag: "logs",
      schema: z.enum(["on", "off"]),
      initial: "on",
      doc: 'whether the host\'s logs are read for logins: "on" or "off"',
    }),
    files: option<readonly string[]>({
      type: "list",
      flag: "logs-file",
      valueName: "file",
      schema: z.array(absolute).max(LIST_MAX),
      initial: [],
      doc: "logs to read; none = journald's, auth.log, secure and audit/audit.log below /var/log",
    }),
    journals: option<readonly string[]>({
      type: "list",
      flag: "logs-journal",
      valueName: "folder",
      schema: z.array(absolute).max(LIST_MAX),
      initial: [],
      doc: "folders of journald to read; none = /var/log/journal and /run/log/journal",
    }),
  },
  journal: {
    segment_bytes: option<number>({
      type: "number",
      flag: "journal-segment-bytes",
      schema: z.int().min(SEGMENT_BYTES_MIN).max(2 ** 30),
      initial: SEGMENT_BYTES,
      doc: "bytes of a segment",
    }),
    total_bytes: option<number>({
      type: "number",
      flag: "journal-total-bytes",
      schema: z.int().min(2 * SEGMENT_BYTES_MIN).max(2 ** 40),
      initial: TOTAL_BYTES,
      doc: "bytes of all segments, at least two of them; over it the oldest go",
    }),
    flush_ms: option<number>({
      type: "number",
      flag: "journal-flush-ms",
      schema: z.int().min(0).max(60_000),
      initial: FLUSH_INTERVAL_MS,
      doc: "milliseconds until what was appended survives a power loss",
    }),
  },
  hive: {
    agents: option<string>({
      type: "text",
      flag: "agents",
      schema: address,
      initial: "127.0.0.1:9998",
      doc: "HOST:PORT where agents deliver (mutual TLS)",
    }),
    enroll: option<string>({
      type: "text",
      flag: "enroll",
      schema: address,
      initial: "127.0.0.1:9997",
      doc: "HOST:PORT of enrolment (TLS)",
    }),
    console: option<string>({
      type: "text",
      flag: "console",
      schema: address,
      initial: "127.0.0.1:9999",
      doc: "HOST:PORT of the operators' API and console; plain HTTP, loopback only",
    }),
    canary_hours: option<number>({
      type: "number",
      flag: "canary-hours",
      schema: z.int().min(1).max(CANARY_HOURS_MAX),
      initial: 24,
      doc: "agents are told this often that the hive is there, hours",
      only: "hive",
    }),
    store_bytes: option<number>({
      type: "number",
      flag: "store-bytes",
      schema: z.union([z.literal(0), z.int().min(STORE_BYTES_MIN).max(2 ** 50)]),
      initial: 0,
      doc:
        "bytes of the store's file, over which no more of agents is stored; 0 = until the disk " +
        "is full",
      only: "hive",
    }),
  },
  enforcement: {
    policy: option<string>({
      type: "text",
      flag: "enforcement-policy",
      schema: z.union([z.literal(""), absolute]),
      initial: "",
      doc: "file with what this host refuses; empty: nothing",
    }),
    when_agent_ends: option<"open" | "pinned">({
      type: "text",
      flag: "enforcement-when-agent-ends",
      schema: z.enum(["open", "pinned"]),
      initial: "open",
      doc:
        'when the agent ends or dies: "open", nothing is refused, or "pinned", the kernel goes on',
    }),
    pin_path: option<string>({
      type: "text",
      flag: "enforcement-pin-path",
      schema: absolute.refine((text) => text.length < 1000, "must have under 1000 characters"),
      initial: "/sys/fs/bpf/immune",
      doc: "folder on a BPF file system that is pinned in",
    }),
  },
  operators: {
    token_file: option<string>({
      type: "text",
      flag: "api-token-file",
      schema: z.union([z.literal(""), absolute]),
      initial: "",
      doc: "file with the API token that verbs use; none = operator.token in the state folder",
    }),
    oidc_issuer: option<string>({
      type: "text",
      flag: "oidc-issuer",
      schema: z.union([z.literal(""), z.url({ protocol: /^https?$/ }).max(2000)]),
      initial: "",
      doc: "issuer of the OpenID provider that people sign in with; none = they sign in here",
      only: "hive",
    }),
    oidc_client_id: option<string>({
      type: "text",
      flag: "oidc-client-id",
      schema: z.string().max(255),
      initial: "",
      doc: "this hive's client id at the OpenID provider",
      only: "hive",
    }),
    oidc_secret_file: option<string>({
      type: "text",
      flag: "oidc-secret-file",
      schema: z.union([z.literal(""), absolute]),
      initial: "",
      doc: "file with this hive's secret at the OpenID provider; none = a public client",
      only: "hive",
    }),
    oidc_hosts: option<readonly string[]>({
      type: "list",
      flag: "oidc-host",
      valueName: "host",
      schema: z.array(z.string().regex(/^[\w.-]{1,253}(?::\d{1,5})?$/, "must be HOST or HOST:PORT"))
        .max(LIST_MAX),
      initial: [],
      doc: "other hosts that the OpenID provider's addresses are on",
      only: "hive",
    }),
    two_person: option<readonly TwoPersonAct[]>({
      type: "list",
      flag: "two-person",
      valueName: "act",
      schema: z.array(z.enum(TWO_PERSON_ACTS)).max(LIST_MAX),
      initial: [],
      doc: `acts that another person has to approve: ${TWO_PERSON_ACTS.join(", ")}`,
      only: "hive",
    }),
  },
  agent: {
    refuse: option<readonly string[]>({
      type: "list",
      flag: "refuse",
      valueName: "order",
      schema: z.array(z.enum(["rules", "policy", "keys", "antibodies", "stop"])).max(5),
      initial: [],
      doc: "orders of the hive that this host refuses: rules, policy, keys, antibodies, stop",
    }),
    on_canary_loss: option<"keep" | "observe">({
      type: "text",
      flag: "on-canary-loss",
      schema: z.enum(["keep", "observe"]),
      initial: "keep",
      doc: 'without a canary of the hive: "keep" on as it is, or "observe" and block nothing',
    }),
    canary_check_hours: option<number>({
      type: "number",
      flag: "canary-check-hours",
      schema: z.int().min(1).max(24),
      initial: 6,
      doc: "the hive is asked for a canary this often, hours",
    }),
    canary_loss_hours: option<number>({
      type: "number",
      flag: "canary-loss-hours",
      schema: z.int().min(2).max(24 * 365),
      initial: 48,
      doc: "without a canary for so long it counts as lost, hours",
    }),
    proxy: option<string>({
      type: "text",
      flag: "proxy",
      schema: z.string().regex(
        /^(http:\/\/[^\s/@,]{1,253}:[1-9]\d{0,4})?$/,
        "must be http://HOST:PORT",
      ),
      initial: "",
      doc: "HTTP proxy to the hive, http://HOST:PORT, by CONNECT; empty = none",
    }),
  },
  output: {
    json: option<boolean>({
      type: "boolean",
      flag: "json",
      schema: z.boolean(),
      initial: false,
      doc: "data as JSON, one object a line",
    }),
    color: option<"auto" | "always" | "never">({
      type: "text",
      flag: "color",
      schema: z.enum(["auto", "always", "never"]),
      initial: "auto",
      doc: "colors on the terminal",
    }),
  },
} as const;

/** Name of a section. */
export type SectionName = keyof typeof OPTIONS;

/** The values of all keys, by section. */
export type Config = {
  readonly [S in SectionName]: {
    readonly [K in keyof (typeof OPTIONS)[S]]: (typeof OPTIONS)[S][K] extends OptionSpec<infer T>
      ? T
      : never;
  };
};

/** A key with its place. */
export interface OptionEntry {
  readonly section: SectionName;
  readonly key: string;
  /** `section.key` */
  readonly name: string;
  /** Environment variable. */
  readonly variable: string;
  readonly spec: OptionSpec<unknown>;
}

/** All keys in order. */
export const OPTION_ENTRIES: readonly OptionEntry[] = (Object.keys(OPTIONS) as SectionName[])
  .flatMap((section) =>
    Object.entries(OPTIONS[section] as Readonly<Record<string, OptionSpec<unknown>>>).map((
      [key, spec],
    ) => ({ section, key, name: `${section}.${key}`, variable: variableOf(spec.flag), spec }))
  );

/** Variable that names the configuration file. */
export const CONFIG_VARIABLE = variableOf("config");

/**
 * The environment variable of a flag: one rule for all.
 *
 * @param flag The flag without its dashes.
 * @returns `IMMUNE_` and the flag in capitals, `-` as `_`.
 */
export function variableOf(flag: string): string {
  return `IMMUNE_${flag.toUpperCase().replaceAll("-", "_")}`;
}
