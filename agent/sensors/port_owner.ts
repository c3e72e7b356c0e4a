import { readFact } from "./facts.ts";

/** Most process ids that are looked at; the kernel gives out no more (PID_MAX_LIMIT). */
const PIDS_MAX = 4_194_304;
/** Most descriptors of one process that are looked at. */
const DESCRIPTORS_MAX = 1024;
/** Descriptors that may be missing in a row before a process counts as looked through. */
const HOLE_MAX = 64;
/** State LISTEN in /proc/net/tcp (proc_pid_net(5)). */
const LISTEN = "0A";

/** A process that listens on a port. */
export interface PortOwner {
  readonly pid: number;
  /** Its name, as the kernel has it: up to 15 bytes. */
  readonly name: string;
}

/**
 * Finds who listens on a TCP port of this network namespace. Takes up to some seconds: to be used
 * when something went wrong.
 *
 * @param port Port number.
 * @returns The process, or `undefined` when nobody listens, or it may not be looked at.
 */
export function portOwner(port: number): PortOwner | undefined {
  const inodes = new Set(
    ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((path) => listeningInodes(fact(path), port)),
  );
  if (inodes.size === 0) return undefined;
  const last = Math.min(Number(fact("/proc/sys/kernel/pid_max")) || PIDS_MAX, PIDS_MAX);
  for (let pid = 1; pid <= last; pid++) {
    const name = readFact(`/proc/${pid}/comm`, { bytesMax: 64 });
    if (name !== undefined && holdsSocket(pid, inodes)) {
      return { pid, name: new TextDecoder().decode(name).trim() };
    }
  }
  return undefined;
}

/**
 * Inodes of the sockets that listen on a port.
 *
 * @param table Text of /proc/net/tcp or tcp6.
 * @param port Port number.
 */
export function listeningInodes(table: string, port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table.split("\n").slice(1).flatMap((line) => {
    const columns = line.trim().split(/\s+/);
    const [, local = "", , state] = columns;
    return local.endsWith(wanted) && state === LISTEN ? [columns[9] ?? ""] : [];
  });
}

function holdsSocket(pid: number, inodes: ReadonlySet<string>): boolean {
  let missing = 0;
  for (let fd = 0; fd < DESCRIPTORS_MAX && missing < HOLE_MAX; fd++) {
    const target = fact(`/proc/${pid}/fd/${fd}`);
    if (target === "") missing++;
    else missing = 0;
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}

function fact(path: string): string {
  const bytes = readFact(path);
  return bytes === undefined ? "" : new TextDecoder().decode(bytes);
}
