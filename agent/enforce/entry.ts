import { type Network, parseCidr } from "../../common/sigma/cidr.ts";
import { type Level, SEVERITIES } from "../../common/sigma/severity.ts";
import {
  type Action,
  ENFORCED_PATH_BYTES_MAX,
  type Entry,
  MEMORY_PREFIX,
  type Ports,
  VALUES_MAX,
} from "./policy.ts";

/** Keys that an entry may have. */
export const ENTRY_KEYS = [
  "name",
  "action",
  "mode",
  "paths",
  "files",
  "sha256",
  "memory",
  "access",
  "addresses",
  "ports",
  "protocols",
  "roles",
  "users",
  "sessions",
  "except_roles",
  "except_users",
  "except_programs",
  "expires",
  "severity",
] as const;

type Key = typeof ENTRY_KEYS[number];

/** Keys that only some actions have. */
const ACTIONS_OF: Partial<Readonly<Record<Key, readonly Action[]>>> = {
  paths: ["exec", "open"],
  files: ["exec", "open"],
  sha256: ["exec"],
  memory: ["exec"],
  access: ["open"],
  addresses: ["connect", "bind"],
  ports: ["connect", "bind"],
  protocols: ["connect", "bind"],
  // After an exec by signal its caller's program is gone: it would not mean the same everywhere.
  except_programs: ["connect", "bind", "open"],
};

/** Something of an entry that does not hold. */
export class Unfit extends Error {
  /** @param key Where. */
  constructor(readonly key: string, message: string) {
    super(message);
    this.name = "Unfit";
  }
}

/** What an entry is read by. */
export interface EntryContext {
  readonly homes: readonly string[];
  /** Programs that no entry may name. */
  readonly protected: ReadonlySet<string>;
}

/**
 * Reads one entry, whose keys are known ones.
 *
 * @param table Its table.
 * @param context Homes and protected programs.
 * @returns The entry.
 * @throws {Unfit} what does not hold.
 */
export function readEntry(table: Readonly<Record<string, unknown>>, context: EntryContext): Entry {
  const name = table["name"];
  if (typeof name !== "string" || name.trim() === "" || name.length > 120) {
    throw new Unfit("name", `"name" must be a text of 1 to 120 characters`);
  }
  const action = oneOf(table, { key: "action", of: ["exec", "connect", "bind", "open"] });
  if (action === undefined) {
    throw new Unfit("name", `"action" is missing: "exec", "connect", "bind" or "open"`);
  }
  for (const [key, actions] of Object.entries(ACTIONS_OF)) {
    if (table[key] !== undefined && !actions.includes(action)) {
      throw new Unfit(key, `"${key}" is for ${actions.join(" and ")}, not for ${action}`);
    }
  }
  const mode = oneOf(table, { key: "mode", of: ["monitor", "block"] }) ?? "monitor";
  const patterns = list(table, "paths", (text) => pathsOf(text, context.homes)).flat();
  const entry: Entry = {
    name,
    action,
    mode,
    paths: patterns.filter((path) => !path.endsWith("/")),
    trees: [
      ...patterns.filter((path) => path.endsWith("/")),
      ...(memoryOf(table["memory"]) ? [MEMORY_PREFIX] : []),
    ],
    files: list(table, "files", filePath),
    sha256: list(table, "sha256", hash),
    access: table["access"] === undefined ? ["read", "write"] : list(table, "access", accessOf),
    networks: list(table, "addresses", networkOf),
    ports: list(table, "ports", portsOf),
    protocols: list(table, "protocols", protocolOf),
    roles: list(table, "roles", textOf),
    users: list(table, "users", userOf),
    sessions: list(table, "sessions", sessionOf),
    exceptRoles: list(table, "except_roles", textOf),
    exceptUsers: list(table, "except_users", userOf),
    exceptPrograms: list(table, "except_programs", filePath),
    expiresMs: expiresOf(table["expires"]),
    severity: oneOf(table, { key: "severity", of: Object.keys(SEVERITIES) as Level[] }) ??
      (mode === "block" ? "high" : "medium"),
  };
  targetsHold(entry, context);
  return entry;
}

/** It names something, and nothing that must go on. */
function targetsHold(entry: Entry, context: EntryContext): void {
  const { action, paths, trees, files, sha256, networks, ports, protocols } = entry;
  const isFile = action === "exec" || action === "open";
  const targets = isFile ? [paths, trees, files, sha256] : [networks, ports, protocols];
  if (targets.every((values) => values.length === 0)) {
    const keys = action === "exec"
      ? `"paths", "files", "sha256" or "memory"`
      : isFile
      ? `"paths" or "files"`
      : `"addresses", "ports" or "protocols"`;
    throw new Unfit("name", `it names nothing: give ${keys}`);
  }
  if (trees.includes("/")) throw new Unfit("paths", `"/**" is everything; name a directory`);
  if (action !== "exec") return;
  const named = [...context.protected].find((program) =>
    paths.includes(program) || files.includes(program)
  );
  if (named !== undefined) {
    throw new Unfit("paths", `"${named}" is protected: a host without it cannot be put right`);
  }
}

function oneOf<T extends string>(
  table: Readonly<Record<string, unknown>>,
  { key, of }: { readonly key: Key; readonly of: readonly T[] },
): T | undefined {
  const value = table[key];
  if (value === undefined) return undefined;
  if (!of.includes(value as T)) {
    throw new Unfit(key, `"${key}" must be one of ${of.map((each) => `"${each}"`).join(", ")}`);
  }
  return value as T;
}

/** Every value of a list, read; an absent list is empty. */
function list<T>(
  table: Readonly<Record<string, unknown>>,
  key: Key,
  read: (value: unknown) => T | undefined,
): readonly T[] {
  const value = table[key];
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length === 0) {
    throw new Unfit(key, `"${key}" must be a list of at least one value`);
  }
  if (value.length > VALUES_MAX) {
    throw new Unfit(key, `"${key}" has ${value.length} values, at most ${VALUES_MAX} are allowed`);
  }
  return value.map((each) => {
    const found = read(each);
    if (found !== undefined) return found;
    const shown = JSON.stringify(each)?.slice(0, 80);
    throw new Unfit(key, `"${key}" has ${shown}; write ${WRITTEN[key] ?? "something else"}`);
  });
}

const WRITTEN: Partial<Readonly<Record<Key, string>>> = {
  paths:
    `absolute paths of at most ${ENFORCED_PATH_BYTES_MAX} bytes, "/dir/**" for all below, "~/" for homes`,
  files: "absolute paths",
  sha256: "64 hexadecimal digits",
  access: `"read" or "write"`,
  addresses: "addresses or networks, as 10.0.0.0/8 or fd00::/8",
  ports: `numbers from 1 to 65535, or "8000-8999"`,
  protocols: `"tcp" or "udp"`,
  roles: "names of roles",
  users: "user ids",
  sessions: "16 hexadecimal digits",
  except_roles: "names of roles",
  except_users: "user ids",
  except_programs: "absolute paths of programs",
};

function pathsOf(value: unknown, homes: readonly string[]): readonly string[] | undefined {
  if (typeof value !== "string" || value.includes("\0")) return undefined;
  const plain = value.replace(/\/\*\*?$/, "/");
  if (plain.includes("*") || plain.includes("?")) return undefined;
  const all = plain.startsWith("~/") ? homes.map((home) => home + plain.slice(1)) : [plain];
  return all.every(isPath) ? all.map(withoutDoubles) : undefined;
}

function isPath(path: string): boolean {
  return path.startsWith("/") && !/\/\.\.?(\/|$)/.test(path) &&
    new TextEncoder().encode(path).length <= ENFORCED_PATH_BYTES_MAX;
}

function withoutDoubles(path: string): string {
  return path.replace(/\/{2,}/g, "/");
}

function filePath(value: unknown): string | undefined {
  if (typeof value !== "string" || value.endsWith("/") || value.includes("\0")) return undefined;
  return isPath(value) ? withoutDoubles(value) : undefined;
}

function memoryOf(value: unknown): boolean {
  if (value === undefined || value === true) return value === true;
  throw new Unfit("memory", `"memory" must be true, or left out`);
}

function hash(value: unknown): string | undefined {
  return typeof value === "string" && /^[0-9a-fA-F]{64}$/.test(value)
    ? value.toLowerCase()
    : undefined;
}

function accessOf(value: unknown): "read" | "write" | undefined {
  return value === "read" || value === "write" ? value : undefined;
}

const MAPPED_BYTES = 12;

/** A network; one of IPv4-mapped addresses is the IPv4 network that it means. */
function networkOf(value: unknown): Network | undefined {
  const network = typeof value === "string" ? parseCidr(value) : "";
  if (typeof network === "string") return undefined;
  const { address, prefix } = network;
  const isMapped = address.length === 16 && prefix >= 8 * MAPPED_BYTES &&
    address.subarray(0, 10).every((byte) => byte === 0) && address[10] === 0xFF &&
    address[11] === 0xFF;
  return isMapped
    ? { address: address.slice(MAPPED_BYTES), prefix: prefix - 8 * MAPPED_BYTES }
    : network;
}

function portsOf(value: unknown): Ports | undefined {
  const [from, to = from, more] = typeof value === "string"
    ? value.split("-").map(Number)
    : [Number(value)];
  const fits = (port: number | undefined): port is number =>
    Number.isInteger(port) && Number(port) >= 1 && Number(port) <= 65535;
  return fits(from) && fits(to) && from <= to && more === undefined ? { from, to } : undefined;
}

function protocolOf(value: unknown): "tcp" | "udp" | undefined {
  return value === "tcp" || value === "udp" ? value : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function userOf(value: unknown): number | undefined {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 32
    ? Number(value)
    : undefined;
}

function sessionOf(value: unknown): string | undefined {
  return typeof value === "string" && /^[0-9a-f]{16}$/.test(value) ? value : undefined;
}

function expiresOf(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const ms = value instanceof Date ? value.getTime() : NaN;
  if (Number.isNaN(ms)) {
    throw new Unfit("expires", `"expires" must be a time, as 2030-01-01T00:00:00Z`);
  }
  return ms;
}
