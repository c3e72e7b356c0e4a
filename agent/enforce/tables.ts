import { ROLE_IDS } from "../../common/sigma/role_ids.ts";
import { Bytes } from "./bytes.ts";
import { type EnforcementPolicy, ENTRIES_MAX, type Entry, MEMORY_PREFIX } from "./policy.ts";
import { portPrefixes, type Prefix, withShorter } from "./prefixes.ts";
import type { FileAbout, FileIdentity, ResolvedFiles } from "./resolve.ts";

/** What a policy needs besides itself to become the kernel's tables. */
export interface TableContext {
  /** Files that it names, as they are now. */
  readonly files: ResolvedFiles;
  /** Id of a role, `undefined` for a name that no rule set has. */
  readonly roleId?: (name: string) => number | undefined;
  /** Unix time in nanoseconds = boot time + this. */
  readonly wallOffsetNs: bigint;
  /** Open descriptors of files that lost their name, which fanotify is to ask about. */
  readonly opened?: ReadonlyMap<FileAbout, number>;
}

const MAGIC = 0x464e4549;
const VERSION = 1;
const HEADER_BYTES = 56;
const FAMILY = { 4: 2, 16: 10 } as const;
/** Bytes of a path in a table. */
const PATH_BYTES = 252;
/** Bytes of a mark's path, its NUL included. */
const MARK_PATH_BYTES = 256;
const GENERATION_BITS = 32;
const ADDRESS_BITS_BEFORE = 64;
/** IANA numbers; a connection by MPTCP is one by TCP too. */
const PROTOCOLS = { tcp: [6, 262], udp: [17] } as const;
/** Rows of paths. */
const PATHS_MAX = 4096;
const FLAG_PROTECTED = 1;
const PLACES = { file: 1, tree: 2, everywhere: 3, opened: 4 } as const;
const EVENTS = { exec: 1, open: 2 } as const;

interface Row {
  add: bigint;
  remove: bigint;
}

/**
 * A policy as the loader takes it (bpf/loader/immune_enforce.h).
 *
 * @param policy The policy.
 * @param context Files, roles and clock.
 * @returns The blob.
 */
export function encodeEnforcement(
  policy: EnforcementPolicy,
  context: TableContext,
): Uint8Array<ArrayBuffer> {
  const tables = [
    valueTable(policy.entries, context),
    userTable(policy.entries),
    sessionTable(policy.entries),
    protocolTable(policy.entries),
    pathTable(policy.entries),
    treeTable(policy.entries),
    fileTable(policy.entries, context.files),
    addressTable(policy.entries),
    portTable(policy.entries),
  ];
  const marks = markRows(policy.entries, context);
  const hashes = hashRows(policy.entries);
  const body = tables.reduce((sum, { rows }) => sum + rows.length, 0);
  const masks = maskBytes(policy, context);
  const out = new Bytes();
  out.u32(MAGIC).u16(VERSION).u16(HEADER_BYTES);
  out.u32(HEADER_BYTES + masks.length + body + marks.rows.length + hashes.rows.length);
  out.u32(hashes.count);
  for (const { count } of tables) out.u32(count);
  out.u32(marks.count);
  for (const rows of [masks, ...tables.map((table) => table.rows), marks.rows, hashes.rows]) {
    out.padded(rows, rows.length);
  }
  return out.take();
}

function bit(i: number): bigint {
  return 1n << BigInt(i);
}

function bitsOf(entries: readonly Entry[], holds: (entry: Entry) => boolean): bigint {
  return entries.reduce((bits, entry, i) => holds(entry) ? bits | bit(i) : bits, 0n);
}

/** The value of `enforcements`. */
function maskBytes(policy: EnforcementPolicy, context: TableContext): Uint8Array {
  const { entries } = policy;
  const of = (holds: (entry: Entry) => boolean): bigint => bitsOf(entries, holds);
  const out = new Bytes();
  const masks = [
    of(({ action }) => action === "exec"),
    of(({ action }) => action === "connect"),
    of(({ action }) => action === "bind"),
    of(({ action, access }) => action === "open" && access.includes("read")),
    of(({ action, access }) => action === "open" && access.includes("write")),
    of(({ mode }) => mode === "block"),
    of(({ roles, exceptRoles }) => roles.length + exceptRoles.length > 0),
    of(({ roles }) => roles.length === 0),
    of(({ sessions }) => sessions.length > 0),
    0n,
    of(({ users, exceptUsers }) => users.length + exceptUsers.length > 0),
    of(({ users }) => users.length === 0),
    of(({ networks }) => networks.length > 0),
    of(({ ports }) => ports.length > 0),
    of(({ protocols }) => protocols.length > 0),
    of(({ exceptPrograms }) => exceptPrograms.length > 0),
    of(({ trees }) => trees.some((tree) => tree !== MEMORY_PREFIX)),
    policyNumber(policy),
    BigInt(policy.actionsPerMinute),
  ];
  for (const mask of masks) out.u64(mask);
  for (let i = 0; i < ENTRIES_MAX; i++) out.u64(expiry(entries[i], context.wallOffsetNs));
  return out.take();
}

/**
 * The number of a policy in records: the first 8 bytes of its hash.
 *
 * @param policy The policy.
 */
export function policyNumber({ hash }: Pick<EnforcementPolicy, "hash">): bigint {
  return BigInt(`0x${hash.slice(0, 16)}`);
}

/** Boot time in nanoseconds; 0 = never. One that is over already has the first moment of all. */
function expiry(entry: Entry | undefined, wallOffsetNs: bigint): bigint {
  if (entry?.expiresMs === undefined) return 0n;
  const boot = BigInt(entry.expiresMs) * 1_000_000n - wallOffsetNs;
  return boot > 0n ? boot : 1n;
}

interface Table {
  readonly rows: Uint8Array;
  readonly count: number;
}

/** Adds entries to the row of a value. */
function note<K>(rows: Map<K, Row>, key: K, part: Partial<Row>): void {
  const row = rows.get(key) ?? { add: 0n, remove: 0n };
  row.add |= part.add ?? 0n;
  row.remove |= part.remove ?? 0n;
  rows.set(key, row);
}

function table<K>(rows: ReadonlyMap<K, Row>, key: (out: Bytes, value: K) => void): Table {
  const out = new Bytes();
  for (const [value, row] of rows) {
    key(out, value);
    out.u64(row.add).u64(row.remove);
  }
  return { rows: out.take(), count: rows.size };
}

function valueTable(entries: readonly Entry[], { roleId }: TableContext): Table {
  const rows = new Map<number, Row>();
  const idOf = (name: string): number | undefined =>
    name === "none" ? 0 : roleId?.(name) ?? (ROLE_IDS as Record<string, number>)[name];
  entries.forEach((entry, i) => {
    for (const role of entry.roles) {
      const id = idOf(role);
      if (id !== undefined) note(rows, id, { add: bit(i) });
    }
    for (const role of entry.exceptRoles) {
      const id = idOf(role);
      if (id !== undefined) note(rows, id, { remove: bit(i) });
    }
  });
  return table(rows, (out, id) => out.u32(0).u32(id));
}

function userTable(entries: readonly Entry[]): Table {
  const rows = new Map<number, Row>();
  entries.forEach((entry, i) => {
    for (const user of entry.users) note(rows, user, { add: bit(i) });
    for (const user of entry.exceptUsers) note(rows, user, { remove: bit(i) });
  });
  return table(rows, (out, id) => out.u32(0).u32(id));
}

function sessionTable(entries: readonly Entry[]): Table {
  const rows = new Map<string, Row>();
  entries.forEach((entry, i) => {
    for (const session of entry.sessions) note(rows, session, { add: bit(i) });
  });
  return table(rows, (out, session) => out.u32(0).u32(0).u64(BigInt(`0x${session}`)));
}

function protocolTable(entries: readonly Entry[]): Table {
  const rows = new Map<number, Row>();
  entries.forEach((entry, i) => {
    for (const name of entry.protocols) {
      for (const number of PROTOCOLS[name]) note(rows, number, { add: bit(i) });
    }
  });
  return table(rows, (out, number) => out.u32(0).u32(number));
}

/** A tree's directory and all above it but the root: without the slash at their end. */
function directoriesOf(tree: string): readonly string[] {
  const parts = tree.split("/").slice(1, -1);
  return parts.map((_, i) => `/${parts.slice(0, parts.length - i).join("/")}`);
}

/** `remove` of a row of paths stands for entries that have a tree there or below. */
function pathRows(
  entries: readonly Entry[],
): { readonly rows: ReadonlyMap<string, Row>; readonly left: number } {
  const left = new Set<string>();
  const rows = new Map<string, Row>();
  entries.forEach((entry, i) => {
    for (const path of entry.paths) note(rows, path, { add: bit(i) });
  });
  // Directories of trees and those above: who moves one, moves what is in it.
  entries.forEach(({ action, trees }, i) => {
    if (action !== "open") return;
    for (const directory of trees.flatMap(directoriesOf)) {
      if (rows.has(directory) || rows.size < PATHS_MAX) {
        note(rows, directory, { remove: bit(i) });
      } else {
        left.add(directory);
      }
    }
  });
  return { rows, left: left.size };
}

/**
 * Directories of trees, and those above, that the table of paths has no room for: who moves one of
 * them takes what is in it out of its tree.
 *
 * @param entries Of a policy.
 */
export function directoriesLeft(entries: readonly Entry[]): number {
  return pathRows(entries).left;
}

function pathTable(entries: readonly Entry[]): Table {
  const { rows } = pathRows(entries);
  return table(rows, (out, path) => out.u32(0).padded(new TextEncoder().encode(path), PATH_BYTES));
}

/** Rows of a trie: the key's bits are those before the value, and the value's own. */
function trie(prefixes: readonly Prefix[], key: (out: Bytes, prefix: Prefix) => void): Table {
  const rows = withShorter(prefixes);
  const out = new Bytes();
  for (const prefix of rows) {
    key(out, prefix);
    out.u64(prefix.entries).u64(0n);
  }
  return { rows: out.take(), count: rows.length };
}

function treeTable(entries: readonly Entry[]): Table {
  const prefixes = entries.flatMap((entry, i) =>
    entry.trees.map((tree): Prefix => {
      const bytes = new TextEncoder().encode(tree);
      return { bytes, bits: 8 * bytes.length, entries: bit(i) };
    })
  );
  return trie(prefixes, (out, { bytes, bits }) => {
    out.u32(GENERATION_BITS + bits).u32(0).padded(bytes, PATH_BYTES);
  });
}

function addressTable(entries: readonly Entry[]): Table {
  const rowsOf = (length: 4 | 16): readonly Prefix[] =>
    entries.flatMap((entry, i) =>
      entry.networks.filter(({ address }) => address.length === length)
        .map(({ address, prefix }) => ({ bytes: address, bits: prefix, entries: bit(i) }))
    );
  const [four, six] = ([4, 16] as const).map((length) =>
    trie(rowsOf(length), (out, { bytes, bits }) => {
      out.u32(ADDRESS_BITS_BEFORE + bits).u32(0).u32(FAMILY[length]).padded(bytes, 16);
    })
  ) as [Table, Table];
  const rows = new Uint8Array([...four.rows, ...six.rows]);
  return { rows, count: four.count + six.count };
}

function portTable(entries: readonly Entry[]): Table {
  const prefixes = entries.flatMap((entry, i) =>
    entry.ports.flatMap(({ from, to }) =>
      portPrefixes(from, to).map((prefix) => ({ ...prefix, entries: bit(i) }))
    )
  );
  return trie(prefixes, (out, { bytes, bits }) => {
    out.u32(GENERATION_BITS + bits).u32(0).padded(bytes, 4);
  });
}

interface FileRow extends Row {
  readonly identity: FileIdentity;
  flags: number;
  user: number;
}

/** A file as fanotify names it, and as the kernel's programs do where that is another name. */
function identitiesOf(about: FileAbout): readonly FileIdentity[] {
  const { device, inode, kernel } = about;
  const isSame = kernel === undefined || (kernel.device === device && kernel.inode === inode);
  return isSame ? [about] : [about, kernel];
}

function fileTable(entries: readonly Entry[], files: ResolvedFiles): Table {
  const rows = new Map<string, FileRow>();
  const rowsOf = (about: FileAbout | undefined): readonly FileRow[] => {
    if (about === undefined) return [];
    return identitiesOf(about).map((identity) => {
      const key = `${identity.device}:${identity.inode}`;
      const row = rows.get(key) ?? { identity, add: 0n, remove: 0n, flags: 0, user: 0 };
      rows.set(key, row);
      return row;
    });
  };
  entries.forEach((entry, i) => {
    for (const path of [...entry.files, ...entry.paths]) {
      // A name among several of one file stands for itself alone; see resolve.ts.
      const about = entry.files.includes(path) ? files.named.get(path) : files.alone.get(path);
      for (const one of [about, ...files.kept.get(path) ?? []]) {
        for (const row of rowsOf(one)) row.add |= bit(i);
      }
    }
    for (const path of entry.exceptPrograms) {
      for (const row of rowsOf(files.named.get(path))) row.remove |= bit(i);
    }
  });
  for (const path of files.protected) {
    for (const row of rowsOf(files.named.get(path))) {
      row.flags |= FLAG_PROTECTED;
      row.user = files.users.get(path) ?? row.user;
    }
  }
  const out = new Bytes();
  for (const { identity, add, remove, flags, user } of rows.values()) {
    out.u32(0).u32(identity.device).u64(identity.inode);
    out.u64(add).u64(remove).u64(0n).u32(user).u32(flags);
  }
  return { rows: out.take(), count: rows.size };
}

/** What fanotify is to ask about. */
function markRows(entries: readonly Entry[], { files: found, opened }: TableContext): Table {
  const marks = new Map<string, number>();
  for (const { action, access, paths, trees, files, sha256 } of entries) {
    if (action !== "exec" && !(action === "open" && access.includes("read"))) continue;
    const event = EVENTS[action];
    const add = (place: keyof typeof PLACES, path: string): void => {
      const key = `${PLACES[place]} ${path}`;
      marks.set(key, (marks.get(key) ?? 0) | event);
    };
    for (const path of [...paths, ...files]) add("file", path);
    for (const path of trees) if (path !== MEMORY_PREFIX) add("tree", path);
    if (sha256.length > 0) add("everywhere", "/");
  }
  // Last, as the loader wants them: they are marked this once.
  for (const { action, access, paths, files } of entries) {
    if (action !== "exec" && !(action === "open" && access.includes("read"))) continue;
    for (const about of [...paths, ...files].flatMap((path) => found.kept.get(path) ?? [])) {
      const descriptor = opened?.get(about);
      if (descriptor === undefined) continue;
      const key = `${PLACES.opened} /proc/self/fd/${descriptor}`;
      marks.set(key, (marks.get(key) ?? 0) | EVENTS[action]);
    }
  }
  const out = new Bytes();
  for (const [key, events] of marks) {
    out.u32(Number(key.slice(0, 1))).u32(events);
    out.padded(new TextEncoder().encode(key.slice(2)), MARK_PATH_BYTES);
  }
  return { rows: out.take(), count: marks.size };
}

function hashRows(entries: readonly Entry[]): Table {
  const rows = new Map<string, bigint>();
  entries.forEach((entry, i) => {
    for (const hash of entry.sha256) rows.set(hash, (rows.get(hash) ?? 0n) | bit(i));
  });
  const out = new Bytes();
  for (const [hash, bits] of rows) out.padded(Uint8Array.fromHex(hash), 32).u64(bits);
  return { rows: out.take(), count: rows.size };
}
