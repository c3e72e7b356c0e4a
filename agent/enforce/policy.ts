import type { Network } from "../../common/sigma/cidr.ts";
import type { Level } from "../../common/sigma/severity.ts";

/** Most entries of a policy: each is a bit in the kernel. */
export const ENTRIES_MAX = 64;
/** Most values of one list of an entry. */
export const VALUES_MAX = 1024;
/** Longest path in an entry, in bytes. */
export const ENFORCED_PATH_BYTES_MAX = 251;
/** Actions a minute where a policy does not say. */
export const ACTIONS_PER_MINUTE = 60;
/** Most actions a minute that a policy may allow. */
export const ACTIONS_PER_MINUTE_MAX = 100_000;
/** Most bytes of a policy's text. */
export const POLICY_TEXT_BYTES_MAX = 1024 * 1024;

/** How the paths of programs begin that live in memory alone (memfd_create). */
export const MEMORY_PREFIX = "/memfd:";

/** What an entry speaks of. */
export type Action = "exec" | "connect" | "bind" | "open";

/** Ports from one to another, both counted. */
export interface Ports {
  readonly from: number;
  readonly to: number;
}

/** One entry of a policy. An empty list asks for nothing. */
export interface Entry {
  readonly name: string;
  readonly action: Action;
  /** `monitor` tells and refuses nothing. */
  readonly mode: "monitor" | "block";
  /** Exact paths. */
  readonly paths: readonly string[];
  /** Directories, with a slash at their end, or {@linkcode MEMORY_PREFIX}. */
  readonly trees: readonly string[];
  /** Files by what they are when the policy is loaded. */
  readonly files: readonly string[];
  /** Hashes of programs, 64 lower-case hexadecimal digits. */
  readonly sha256: readonly string[];
  readonly access: readonly ("read" | "write")[];
  readonly networks: readonly Network[];
  readonly ports: readonly Ports[];
  readonly protocols: readonly ("tcp" | "udp")[];
  /** Names of roles, one of which it has had; `none` is never any. */
  readonly roles: readonly string[];
  readonly users: readonly number[];
  /** 16 hexadecimal digits each. */
  readonly sessions: readonly string[];
  readonly exceptRoles: readonly string[];
  readonly exceptUsers: readonly number[];
  /** Paths of programs that it does not hold for. */
  readonly exceptPrograms: readonly string[];
  /** Unix time in milliseconds from which on it does not hold. */
  readonly expiresMs: number | undefined;
  readonly severity: Level;
}

/** What a host refuses, as its operator wrote it. */
export interface EnforcementPolicy {
  readonly entries: readonly Entry[];
  readonly actionsPerMinute: number;
  /** Programs that are never refused anything, besides those that never are. */
  readonly protect: readonly string[];
  /** SHA-256 of the text, 64 lower-case hexadecimal digits. */
  readonly hash: string;
}
