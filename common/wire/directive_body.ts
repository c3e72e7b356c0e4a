import type { Purpose } from "../keys/ed25519.ts";

/** Longest body of a directive, in bytes. */
export const DIRECTIVE_BODY_BYTES_MAX = 32 * 1024;
/** Most paths of a policy. */
export const POLICY_WATCHES_MAX = 256;
/** Longest path of a policy, in characters. */
const PATH_CHARACTERS_MAX = 1024;
/** Longest time that a policy may have what follows a batch gathered, in microseconds. */
export const WAKE_INTERVAL_MAX_US = 1_000_000;

/** Which rules are in force: a pack that the hive holds, by its hash. */
export interface RulesBody {
  /** SHA-256 of the pack, 64 lower-case hexadecimal digits; null = the host's own rules. */
  readonly pack: string | null;
}

/** Which opens an order can ask for, as `sensor.open` has them. */
export const POLICY_OPENS = ["watched", "rules", "wide"] as const;
/** One of {@linkcode POLICY_OPENS}. */
export type PolicyOpen = typeof POLICY_OPENS[number];

/** What the sensor reports; null = as the host's own configuration says. */
export interface PolicyBody {
  readonly open: PolicyOpen | null;
  /** Microseconds. */
  readonly wakeIntervalUs: number | null;
  /** Watched besides what rules name; absolute paths. */
  readonly watch: readonly string[] | null;
}

/** Keys that count from here on. */
export interface KeysBody {
  /** The directive key's successor: 32 bytes in hexadecimal; null = it stays. */
  readonly directive: string | null;
  /** The stop key: null = it stays. */
  readonly stop: {
    /** 32 bytes in hexadecimal. */
    readonly key: string;
    /** The old stop key's signature; null only where there is none yet. */
    readonly signature: string | null;
  } | null;
}

/** What a kill switch does. */
export type StopAction = "stop" | "drill" | "lift";

/** Which antibodies are in force: a set that the hive holds, by its hash (`specs/herd.md`). */
export interface AntibodiesBody {
  /**
   * SHA-256 of the set, 64 lower-case hexadecimal digits; null = none. For every host it takes the
   * place of what all have, for one host that of what it has besides, as a canary host.
   */
  readonly set: string | null;
}

/** What the holders of the stop key want. */
export interface StopBody {
  /** `drill`: everything but the stop itself; `lift`: the sensor is attached again. */
  readonly action: StopAction;
}

/** That the hive is there, and its directive key with it. */
export interface CanaryBody {
  /** 16 bytes in hexadecimal that the agent asked with; null = it was pushed, nobody asked. */
  readonly nonce: string | null;
}

/** Bodies by the directive's kind. */
export interface DirectiveBodies {
  readonly rules: RulesBody;
  readonly policy: PolicyBody;
  readonly keys: KeysBody;
  readonly antibodies: AntibodiesBody;
  readonly canary: CanaryBody;
  readonly stop: StopBody;
}

/** Name of a kind of directive. */
export type DirectiveKind = keyof DirectiveBodies;

/** What numbers count, and which key signs: one stream each. */
export type DirectiveStream = Exclude<Purpose, "stop key successor">;

interface KindSpec<K extends DirectiveKind> {
  /** Number on the wire; it keeps its meaning for ever. */
  readonly id: number;
  readonly stream: DirectiveStream;
  /** True when it can take something away from a host. */
  readonly destructive: boolean;
  /** The body of parsed JSON with its fields in their order, or `undefined` when it is none. */
  readonly read: (value: unknown) => DirectiveBodies[K] | undefined;
}

/** All kinds. */
export const DIRECTIVE_KINDS: { readonly [K in DirectiveKind]: KindSpec<K> } = {
  rules: { id: 1, stream: "directive", destructive: true, read: readRules },
  policy: { id: 2, stream: "directive", destructive: true, read: readPolicy },
  keys: { id: 3, stream: "directive", destructive: true, read: readKeys },
  antibodies: { id: 4, stream: "directive", destructive: true, read: readAntibodies },
  canary: { id: 16, stream: "canary", destructive: false, read: readCanary },
  stop: { id: 32, stream: "stop", destructive: true, read: readStop },
};

/** Names of all kinds. */
export const DIRECTIVE_KIND_NAMES = Object.keys(DIRECTIVE_KINDS) as readonly DirectiveKind[];

function readRules(value: unknown): RulesBody | undefined {
  if (!hasExactly(value, ["pack"])) return undefined;
  const { pack } = value;
  return pack === null || isHex(pack, 32) ? { pack } : undefined;
}

function readPolicy(value: unknown): PolicyBody | undefined {
  if (!hasExactly(value, ["open", "wakeIntervalUs", "watch"])) return undefined;
  const { open, wakeIntervalUs, watch } = value;
  if (open !== null && !isPolicyOpen(open)) return undefined;
  if (wakeIntervalUs !== null && !isCount(wakeIntervalUs, WAKE_INTERVAL_MAX_US)) return undefined;
  if (watch === null) return { open, wakeIntervalUs, watch };
  if (!Array.isArray(watch) || watch.length > POLICY_WATCHES_MAX) return undefined;
  return watch.every(isPath) ? { open, wakeIntervalUs, watch } : undefined;
}

function isPolicyOpen(value: unknown): value is PolicyOpen {
  return (POLICY_OPENS as readonly unknown[]).includes(value);
}

function readKeys(value: unknown): KeysBody | undefined {
  if (!hasExactly(value, ["directive", "stop"])) return undefined;
  const { directive, stop } = value;
  if (directive !== null && !isHex(directive, 32)) return undefined;
  if (stop === null) return { directive, stop };
  if (!hasExactly(stop, ["key", "signature"])) return undefined;
  const { key, signature } = stop;
  if (!isHex(key, 32) || (signature !== null && !isHex(signature, 64))) return undefined;
  return { directive, stop: { key, signature } };
}

function readAntibodies(value: unknown): AntibodiesBody | undefined {
  if (!hasExactly(value, ["set"])) return undefined;
  const { set } = value;
  return set === null || isHex(set, 32) ? { set } : undefined;
}

function readCanary(value: unknown): CanaryBody | undefined {
  if (!hasExactly(value, ["nonce"])) return undefined;
  const { nonce } = value;
  return nonce === null || isHex(nonce, 16) ? { nonce } : undefined;
}

function readStop(value: unknown): StopBody | undefined {
  if (!hasExactly(value, ["action"])) return undefined;
  const { action } = value;
  return action === "stop" || action === "drill" || action === "lift" ? { action } : undefined;
}

function hasExactly<K extends string>(
  value: unknown,
  names: readonly K[],
): value is Record<K, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.keys(value).length === names.length &&
    names.every((name) => Object.hasOwn(value, name));
}

function isHex(value: unknown, bytes: number): value is string {
  return typeof value === "string" && value.length === 2 * bytes && /^[0-9a-f]*$/.test(value);
}

function isCount(value: unknown, most: number): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most;
}

function isPath(value: unknown): value is string {
  return typeof value === "string" && value.startsWith("/") &&
    value.length <= PATH_CHARACTERS_MAX && !value.includes("\0");
}
