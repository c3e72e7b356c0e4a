import { ImmuneError } from "../../common/config/errors.ts";
import { type KindName, KINDS, PATH_BYTES_MAX } from "../../common/record/table.ts";
import type { OpenFilter } from "../../common/sigma/open_filter.ts";
import type { RoleMarks } from "../../common/sigma/role_marks.ts";
import { MARK_BYTES, TERM_BYTES, writeMarks } from "../labels/encode.ts";
import { LISTED_KEY_BYTES, type ListedFiles } from "./listed_files.ts";
import { encodeNetwork, type NetworkPolicy } from "./network_policy.ts";
import { WATCHES_MAX } from "../../common/record/bounds.ts";

/** "IPOL" (IMMUNE_POLICY_MAGIC). */
export const POLICY_MAGIC = 0x4c4f_5049;
/** IMMUNE_POLICY_VERSION. */
export const POLICY_VERSION = 5;
/** Longest policy, in bytes (IMMUNE_POLICY_BYTES_MAX). */
export const POLICY_BYTES_MAX = 8 << 20;
/** Longest time that what comes after a batch is gathered, in microseconds. */
export const WAKE_INTERVAL_US_MAX = 1_000_000;

/** Highest limit of records, a second. */
export const RATE_MAX = 10_000_000;

/** Numbers of `enum immune_policy_flag`. */
export const POLICY_FLAGS = {
  wide_open: 1,
  identity: 2,
  public_peers: 4,
  open_filter: 8,
  calls: 16,
  hashes: 32,
  hash_each: 64,
  network_filter: 128,
  listed_any: 256,
} as const;
/** Numbers of `enum immune_watch_type`. */
export const WATCH_TYPES = { file: 1, children: 2, tree: 3 } as const;
/** Bits of `enum immune_watch_want`; none means opens. */
export const WATCH_WANTS = { opens: 0, changes: 2, both: 3 } as const;

/** Offsets in `struct immune_policy_header`. */
const HEADER = {
  magic: 0, // u32
  version: 4, // u16
  headerLength: 6, // u16
  length: 8, // u32
  flags: 12, // u32
  kindMask: 16, // u64
  wakeIntervalUs: 24, // u32
  watchCount: 28, // u32
  markCount: 32, // u32
  termCount: 36, // u32
  openEvery: 40, // u32
  openDeep: 44, // u32
  processRate: 48, // u32
  cgroupRate: 52, // u32
  network: 56, // what encodeNetwork gives, 72 bytes
  listedFileCount: 128, // u32
} as const;
const HEADER_BYTES = 136;
const NO_ROLES: RoleMarks = { marks: [], terms: [] };
/** Bytes of `struct immune_policy_watch` before its path: u16 type, u16 length, u32 wants. */
const WATCH_BYTES = 8;
const WATCH_ALIGNMENT = 8;
/** Kinds that a mask can hold: those of a kernel. */
const MASK_KIND_MAX = 63;

/** An object whose opens or changes are reported. */
export interface Watch {
  /**
   * `file`: this path, also after it is replaced; `children`: files directly in this directory;
   * `tree`: files in it and below, on the same file system.
   */
  readonly type: keyof typeof WATCH_TYPES;
  /** Absolute path; need not exist yet. */
  readonly path: string;
  /**
   * `opens`; `changes`: names that come and go, what was written, mode and owner; or `both`. Default
   * opens. An open of a watched file waits for the sensor, a change does not.
   */
  readonly wants?: keyof typeof WATCH_WANTS;
}

/** What the sensor is to report. */
export interface Policy {
  /** Kinds from a kernel that are wanted; the others are counted as filtered. */
  readonly kinds: readonly KindName[];
  /** Report every successful open of the host. */
  readonly wideOpen: boolean;
  /** Report changes of user and group ids. */
  readonly identity: boolean;
  /** What comes after a batch is gathered so long, in microseconds; 0 = an exec is read at once. */
  readonly wakeIntervalUs: number;
  readonly watches: readonly Watch[];
  /**
   * Acts, and accesses that send no signal (all but attach), as far as their kinds are wanted; default
   * none. They take a hook on system calls.
   */
  readonly calls?: boolean;
  /**
   * SHA-256 of programs that start and of watched files: `first` for each version of a file once, `each`
   * for every start besides; default none.
   */
  readonly hashes?: "first" | "each";
  /** Accepts and flows only with peers outside of private networks; default all. */
  readonly publicPeers?: boolean;
  /** Programs that the kernel itself gives a role; default none. */
  readonly roles?: RoleMarks;
  /** Opens of the wide stream that are sent, the others are counted as filtered; default all. */
  readonly opens?: OpenFilter;
  /** Files whose opens are sent beside those of {@linkcode opens}; default none. */
  readonly listedFiles?: ListedFiles;
  /** Which records of connections are needed; default all. */
  readonly network?: NetworkPolicy;
  /** Most bulk records a second of one process and of one cgroup, by kind; default 0 = no limit. */
  readonly rates?: { readonly process: number; readonly cgroup: number };
}

/**
 * A policy as the loader takes it.
 *
 * @param policy What is wanted.
 * @returns The blob of `immune_sensor.h`.
 * @throws {ImmuneError} `CONFIG_INVALID` for a kind that no kernel makes, an interval or number of
 * watches over its bound, or a path that is not absolute, has a NUL, or is too long.
 */
export function encodePolicy(policy: Policy): Uint8Array<ArrayBuffer> {
  checkBounds(policy);
  const paths = policy.watches.map(encodePath);
  const { marks, terms } = policy.roles ?? NO_ROLES;
  const opens = policy.opens ?? { marks: [], every: 0, deep: 0 };
  const network = encodeNetwork(policy.network);
  const keys = policy.listedFiles?.keys ?? new Uint8Array();
  const length = HEADER_BYTES +
    paths.reduce((sum, path) => sum + WATCH_BYTES + aligned(path.length), 0) +
    (marks.length + opens.marks.length) * MARK_BYTES + terms.length * TERM_BYTES +
    network.section.length + keys.length;
  if (length > POLICY_BYTES_MAX) {
    throw invalid(`it takes ${length} bytes, at most ${POLICY_BYTES_MAX} are allowed`);
  }
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(HEADER.magic, POLICY_MAGIC, true);
  view.setUint16(HEADER.version, POLICY_VERSION, true);
  view.setUint16(HEADER.headerLength, HEADER_BYTES, true);
  view.setUint32(HEADER.length, length, true);
  const flags = (policy.wideOpen ? POLICY_FLAGS.wide_open : 0) |
    (policy.identity ? POLICY_FLAGS.identity : 0) |
    (policy.publicPeers ? POLICY_FLAGS.public_peers : 0) |
    (policy.calls ? POLICY_FLAGS.calls : 0) |
    (policy.hashes === undefined ? 0 : POLICY_FLAGS.hashes) |
    (policy.hashes === "each" ? POLICY_FLAGS.hash_each : 0) |
    (filtersOpens(policy) ? POLICY_FLAGS.open_filter : 0) |
    (policy.network?.filters === true ? POLICY_FLAGS.network_filter : 0) |
    (policy.network?.listed?.any === true ? POLICY_FLAGS.listed_any : 0);
  view.setUint32(HEADER.flags, flags, true);
  view.setBigUint64(HEADER.kindMask, kindMask(policy.kinds), true);
  view.setUint32(HEADER.wakeIntervalUs, policy.wakeIntervalUs, true);
  view.setUint32(HEADER.watchCount, paths.length, true);
  view.setUint32(HEADER.markCount, marks.length + opens.marks.length, true);
  view.setUint32(HEADER.termCount, terms.length, true);
  view.setUint32(HEADER.openEvery, opens.every, true);
  view.setUint32(HEADER.openDeep, opens.deep, true);
  view.setUint32(HEADER.processRate, policy.rates?.process ?? 0, true);
  view.setUint32(HEADER.cgroupRate, policy.rates?.cgroup ?? 0, true);
  let offset = HEADER_BYTES;
  policy.watches.forEach((watch, i) => {
    const path = paths[i] ?? new Uint8Array();
    view.setUint16(offset, WATCH_TYPES[watch.type], true);
    view.setUint16(offset + 2, path.length, true);
    view.setUint32(offset + 4, WATCH_WANTS[watch.wants ?? "opens"], true);
    bytes.set(path, offset + WATCH_BYTES);
    offset += WATCH_BYTES + aligned(path.length);
  });
  writeMarks(new DataView(bytes.buffer, offset), { marks, terms, opens: opens.marks });
  bytes.set(network.header, HEADER.network);
  bytes.set(network.section, length - keys.length - network.section.length);
  view.setUint32(HEADER.listedFileCount, keys.length / LISTED_KEY_BYTES, true);
  bytes.set(keys, length - keys.length);
  return bytes;
}

/** Where any file may be listed, every open of the wide stream is sent. */
function filtersOpens({ opens, listedFiles }: Policy): boolean {
  return opens !== undefined && listedFiles?.any !== true;
}

function checkBounds(policy: Policy): void {
  const { watches, wakeIntervalUs, rates } = policy;
  for (const rate of rates === undefined ? [] : [rates.process, rates.cgroup]) {
    if (!Number.isInteger(rate) || rate < 0 || rate > RATE_MAX) {
      throw invalid(`a limit of "${rate}" is not a whole number from 0 to ${RATE_MAX} a second`);
    }
  }
  if (watches.length > WATCHES_MAX) {
    throw invalid(`${watches.length} watches, at most ${WATCHES_MAX} are allowed`);
  }
  if (
    !Number.isInteger(wakeIntervalUs) || wakeIntervalUs < 0 || wakeIntervalUs > WAKE_INTERVAL_US_MAX
  ) {
    throw invalid(
      `a wake interval of "${wakeIntervalUs}" is not a whole number from 0 to ` +
        `${WAKE_INTERVAL_US_MAX} microseconds`,
    );
  }
}

function kindMask(kinds: readonly KindName[]): bigint {
  let mask = 0n;
  for (const kind of kinds) {
    const { id } = KINDS[kind];
    if (id > MASK_KIND_MAX) throw invalid(`no kernel makes records of kind "${kind}"`);
    mask |= 1n << BigInt(id);
  }
  return mask;
}

function encodePath({ path }: Watch): Uint8Array {
  const bytes = new TextEncoder().encode(path);
  if (!path.startsWith("/") || path.includes("\0") || bytes.length >= PATH_BYTES_MAX) {
    throw invalid(
      `watched path ${JSON.stringify(path.slice(0, 80))} is not absolute, has a NUL, or is over ` +
        `${PATH_BYTES_MAX - 1} bytes`,
    );
  }
  return bytes;
}

function aligned(length: number): number {
  return Math.ceil(length / WATCH_ALIGNMENT) * WATCH_ALIGNMENT;
}

function invalid(reason: string): ImmuneError {
  return new ImmuneError("CONFIG_INVALID", `Cannot use this policy: ${reason}`);
}
