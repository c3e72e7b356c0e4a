import { readIfThere, replaceFile } from "./durable_file.ts";
import { ImmuneError } from "./errors.ts";
import { FileLock } from "./lock.ts";
import { strangersHand } from "./owner.ts";
import { type StatePaths, statePaths } from "./state_paths.ts";
import { createHash } from "node:crypto";

/** Label that the host's id is hashed with, so that it does not give the machine id away. */
const HOST_LABEL = "sentinel-immune host id v1\n";
const MACHINE_ID_PATH = "/etc/machine-id";
const EPOCH_MAX = 0xFFFF_FFFF;

/**
 * A state folder that this process alone uses.
 */
export class State implements Disposable {
  readonly paths: StatePaths;
  readonly #lock: FileLock;

  private constructor(paths: StatePaths, lock: FileLock) {
    this.paths = paths;
    this.#lock = lock;
  }

  /**
   * Makes a state folder where there is none (mode 0700) and takes its lock.
   *
   * @param folder Its path.
   * @param options `uid` that must own it. Default: that of this process.
   * @returns The state.
   * @throws {ImmuneError} `STATE_UNUSABLE` when it belongs to another user, anyone may write it, or
   * it cannot be made; `STATE_LOCKED` when another process uses it.
   */
  static open(folder: string, options: { readonly uid?: number } = {}): State {
    const paths = statePaths(folder);
    const uid = options.uid ?? Deno.uid();
    try {
      Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
      checkFolder(folder, uid);
      Deno.mkdirSync(paths.agent, { recursive: true, mode: 0o700 });
      checkFolder(paths.agent, uid);
      Deno.chmodSync(paths.agent, 0o700);
    } catch (cause) {
      throw unusable(folder, cause);
    }
    return new State(paths, FileLock.acquire(paths.lock));
  }

  /**
   * Counts the sensor epoch: each load of a sensor has its own. The number is on the disk before it
   * is given.
   *
   * @returns The new epoch, from 1. Where the count is unreadable it goes on from the Unix time in
   * seconds, which is over any count.
   * @throws {ImmuneError} `STATE_UNUSABLE` when it cannot be written.
   */
  nextEpoch(): number {
    try {
      const text = readIfThere(this.paths.epoch);
      const counted = text === undefined ? 0 : Number(/^(\d{1,10})\n$/.exec(text)?.[1] ?? NaN);
      const last = counted < EPOCH_MAX ? counted : Math.floor(Date.now() / 1000);
      replaceFile(this.paths.epoch, `${last + 1}\n`);
      return last + 1;
    } catch (cause) {
      throw unusable(this.paths.epoch, cause);
    }
  }

  /**
   * The host's id: the same for every agent on it, and not the machine id.
   *
   * @param options `machineIdPath`: default `/etc/machine-id`.
   * @returns 64 hexadecimal digits: SHA-256 of a fixed label and the machine id (machine-id(5)), or
   * a random number kept in the state folder where the host has none.
   * @throws {ImmuneError} `STATE_UNUSABLE` when a random one cannot be kept.
   */
  hostId(options: { readonly machineIdPath?: string } = {}): string {
    const machineId = readMachineId(options.machineIdPath ?? MACHINE_ID_PATH);
    if (machineId !== undefined) {
      return createHash("sha256").update(HOST_LABEL).update(machineId).digest("hex");
    }
    try {
      const kept = readIfThere(this.paths.hostId)?.trim() ?? "";
      if (/^[0-9a-f]{64}$/.test(kept)) return kept;
      const fresh = crypto.getRandomValues(new Uint8Array(32)).toHex();
      replaceFile(this.paths.hostId, `${fresh}\n`);
      return fresh;
    } catch (cause) {
      throw unusable(this.paths.hostId, cause);
    }
  }

  /** Lets the state folder go. */
  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}

function readMachineId(path: string): string | undefined {
  try {
    return /^[0-9a-f]{32}$/.exec(Deno.readTextFileSync(path).trim())?.[0];
  } catch {
    return undefined;
  }
}

/**
 * Refuses a folder that another user may have put there.
 *
 * @param path Path of the folder.
 * @param uid User that must own it; `null` = anyone.
 * @throws {ImmuneError} `STATE_UNUSABLE` when it is a link, another user's, or anyone may write it.
 */
export function checkFolder(path: string, uid: number | null): void {
  const info = Deno.lstatSync(path);
  const refuse = (why: string): never => {
    throw new ImmuneError("STATE_UNUSABLE", `Cannot use state folder "${path}": ${why}`);
  };
  if (!info.isDirectory) refuse("it is no folder of its own; name another with --state");
  const hand = strangersHand(info, {
    path,
    uids: uid === null ? [] : [uid],
    forbidden: 0o002,
    hint: "name another with --state",
  });
  if (hand !== undefined) refuse(hand);
}

function unusable(path: string, cause: unknown): ImmuneError {
  if (cause instanceof ImmuneError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ImmuneError(
    "STATE_UNUSABLE",
    `Cannot use state folder "${path}": ${why}; name another with --state`,
    { cause },
  );
}
