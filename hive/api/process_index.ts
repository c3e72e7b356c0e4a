import {
  commandLine,
  decodeRecords,
  type HostBoot,
  processEntityId,
  type RecordView,
  text,
} from "../../common/record/mod.ts";
import { decodeBatch } from "../../common/wire/mod.ts";
import type { StoredBlock } from "../store/store.ts";

/** Processes that one index holds, at most. */
export const INDEX_PROCESSES_MAX = 50_000;

/** A process as records tell of it. */
export interface KnownProcess {
  readonly boot: HostBoot & { readonly wallOffsetNs: bigint };
  readonly pid: number;
  readonly startNs: bigint;
  readonly parentPid: number;
  readonly parentStartNs: bigint;
  readonly uid: number;
  /** True when no exec of it is known: it runs what its parent ran. */
  readonly isFork: boolean;
  /** What it runs; `undefined` after a fork without exec, and where the host does not tell. */
  readonly executable: string | undefined;
  readonly commandLine: string | undefined;
  /** Boot time of the record that tells it. */
  readonly toldNs: bigint;
}

/** Processes of some blocks, by pid and start. */
export class ProcessIndex {
  readonly #known = new Map<string, KnownProcess>();
  readonly #blocks = new Set<string>();
  readonly #atMs: number;
  /** Processes that did not fit. */
  refused = 0;

  /** @param atMs Unix time in milliseconds: what a process ran then is what counts. */
  constructor(atMs: number) {
    this.#atMs = atMs;
  }

  /** Blocks that were read. */
  get blockCount(): number {
    return this.#blocks.size;
  }

  /**
   * Reads the processes of a block, once.
   *
   * @param block The block.
   */
  add(block: StoredBlock): void {
    const { info, records } = decodeBatch(block.bytes);
    const name = `${block.agentId} ${info.journalId} ${info.first}`;
    if (this.#blocks.has(name)) return;
    this.#blocks.add(name);
    const boot = { hostId: info.hostId, bootId: info.bootId, wallOffsetNs: info.wallOffsetNs };
    for (const record of decodeRecords(records)) {
      const { kind } = record;
      if (kind === "exec" || kind === "fork" || kind === "process") this.#learn(record, boot);
    }
  }

  /**
   * The process of an ECS id.
   *
   * @param pid Its process id.
   * @param entityId ECS `process.entity_id`.
   */
  byEntity(pid: number, entityId: string): KnownProcess | undefined {
    for (const process of this.#known.values()) {
      if (process.pid !== pid) continue;
      const id = processEntityId(process.boot, { pid, startTimeNs: process.startNs });
      if (id === entityId) return process;
    }
    return undefined;
  }

  /**
   * The parent of a process.
   *
   * @param child The process.
   */
  parentOf(child: KnownProcess): KnownProcess | undefined {
    return this.#known.get(keyOf(child.boot, child.parentPid, { startNs: child.parentStartNs }));
  }

  /**
   * The children of a process that are known, in the order of their start.
   *
   * @param parent The process.
   */
  childrenOf(parent: KnownProcess): KnownProcess[] {
    return [...this.#known.values()]
      .filter((process) =>
        process.parentPid === parent.pid && process.parentStartNs === parent.startNs &&
        process.boot.bootId === parent.boot.bootId
      )
      .sort((a, b) => Number(a.startNs - b.startNs));
  }

  #learn(record: RecordView, boot: KnownProcess["boot"]): void {
    if (record.startTimeNs === 0n) return;
    const key = keyOf(boot, record.pid, { startNs: record.startTimeNs });
    const known = this.#known.get(key);
    if (known === undefined && this.#known.size >= INDEX_PROCESSES_MAX) {
      this.refused++;
      return;
    }
    const told = processFrom(record, boot);
    if (known === undefined || this.#isBetter(told, known)) this.#known.set(key, told);
  }

  /** The last program at or before the moment; else the first one after it; a fork tells none. */
  #isBetter(told: KnownProcess, known: KnownProcess): boolean {
    if (told.isFork !== known.isFork) return known.isFork;
    const [isPast, wasPast] = [this.#isPast(told), this.#isPast(known)];
    if (isPast !== wasPast) return isPast;
    return isPast ? told.toldNs >= known.toldNs : told.toldNs < known.toldNs;
  }

  #isPast({ toldNs, boot }: KnownProcess): boolean {
    return (toldNs + boot.wallOffsetNs) / 1_000_000n <= BigInt(this.#atMs);
  }
}

function processFrom(record: RecordView, boot: KnownProcess["boot"]): KnownProcess {
  const kind = record.kind === "exec" || record.kind === "process" ? record.kind : undefined;
  const image = kind === undefined ? undefined : record.slot(kind, "image");
  const argv = kind === undefined ? undefined : record.slot(kind, "argv");
  return {
    boot,
    pid: record.pid,
    startNs: record.startTimeNs,
    parentPid: record.parentPid,
    parentStartNs: record.parentStartTimeNs,
    uid: record.uid,
    isFork: record.kind === "fork",
    executable: image === undefined ? undefined : text(image),
    commandLine: argv === undefined ? undefined : commandLine(argv),
    toldNs: record.timeNs,
  };
}

function keyOf(
  boot: HostBoot,
  pid: number,
  options: { readonly startNs: bigint },
): string {
  return `${boot.hostId} ${boot.bootId} ${pid} ${options.startNs}`;
}
