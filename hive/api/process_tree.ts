import { KINDS, processEntityId, wallTime } from "../../common/record/mod.ts";
import type { Alert } from "../../common/wire/mod.ts";
import type { Store } from "../store/store.ts";
import { type KnownProcess, ProcessIndex } from "./process_index.ts";

/** Ancestors that a tree shows, at most. */
export const ANCESTORS_MAX = 24;
/** Children that a tree shows, at most. */
export const CHILDREN_MAX = 16;
/** Blocks that one tree is made from, at most. */
export const TREE_BLOCKS_MAX = 64;
/** Blocks of one question to the store. */
const BLOCKS_AT_A_TIME = 8;
/** How far before an alert its neighbourhood reaches, in milliseconds. */
const BEFORE_MS = 60_000;
/** How far after it, in milliseconds. */
const AFTER_MS = 60_000;
/** How far around a process's start its own records are looked for, in milliseconds. */
const START_WINDOW_MS = 2000;
/** Kinds of records that tell of a process. */
const TELLING = [KINDS.exec.id, KINDS.fork.id, KINDS.process.id];

/** A process in a tree. */
export interface TreeProcess {
  readonly pid: number;
  readonly entityId?: string;
  /** When it started, RFC 3339, UTC. */
  readonly start?: string;
  readonly executable?: string;
  readonly commandLine?: string;
  /** User id. */
  readonly uid?: number;
}

/** A process with those that led to it and those that it started. */
export interface ProcessTree {
  /** Oldest first; the last one is the parent. */
  readonly ancestors: readonly TreeProcess[];
  readonly subject: TreeProcess;
  /** In the order of their start, as far as they are known. */
  readonly children: readonly TreeProcess[];
  /** False when stored events tell of no process further up, though there is one. */
  readonly complete: boolean;
}

/**
 * The process tree of an alert, as far as stored events tell.
 *
 * @param store Where the events are.
 * @param alert The alert.
 * @returns The tree, or `undefined` when the alert names no process.
 */
export async function processTree(store: Store, alert: Alert): Promise<ProcessTree | undefined> {
  const { process } = alert;
  if (process === undefined) return undefined;
  const atMs = Date.parse(alert.time);
  const index = new ProcessIndex(atMs);
  const hostId = alert.host.id;
  const reader = await blockReader(store, { hostId, index });
  await reader(atMs - BEFORE_MS, atMs);
  await reader(atMs, atMs + AFTER_MS);
  // Processes that ran before the agent stand in its context, which each journal segment repeats.
  await reader(0, atMs, { kinds: [KINDS.process.id] });
  const subject = await subjectOf(process, { index, reader });
  const told = fromAlert(process);
  if (subject === undefined) {
    const { parent } = process;
    return {
      ancestors: parent === undefined ? [] : [fromAlert(parent)],
      subject: told,
      children: [],
      complete: false,
    };
  }
  const { ancestors, complete } = await ancestorsOf(subject, { index, reader });
  const shown = ancestors.map((ancestor) => fromRecord(ancestor, index));
  const { parent } = process;
  if (shown.length === 0 && parent !== undefined) shown.push(fromAlert(parent));
  return {
    ancestors: shown.reverse(),
    // What the alert says of its process was true when it fired.
    subject: { ...fromRecord(subject, index), ...told },
    children: index.childrenOf(subject).slice(0, CHILDREN_MAX).map((c) => fromRecord(c, index)),
    complete,
  };
}

type BlockReader = (
  sinceMs: number,
  untilMs: number,
  options?: { readonly kinds?: readonly number[] },
) => Promise<void>;

/** Reads the blocks of a host between two moments into an index, within the tree's bound. */
async function blockReader(store: Store, { hostId, index }: {
  readonly hostId: string;
  readonly index: ProcessIndex;
}): Promise<BlockReader> {
  const agents = (await store.agents()).filter((agent) => agent.hostId === hostId);
  let left = TREE_BLOCKS_MAX;
  return async (sinceMs, untilMs, { kinds = TELLING } = {}) => {
    for (const { id } of agents) {
      if (left <= 0) return;
      const limit = Math.min(left, BLOCKS_AT_A_TIME);
      const blocks = await store.blocks({
        agentId: id,
        sinceMs,
        untilMs,
        kinds,
        limit,
      });
      left -= blocks.length;
      for (const block of blocks) index.add(block);
    }
  };
}

async function subjectOf(process: NonNullable<Alert["process"]>, { index, reader }: {
  readonly index: ProcessIndex;
  readonly reader: BlockReader;
}): Promise<KnownProcess | undefined> {
  const { pid, entity_id: entityId, start } = process;
  if (entityId === undefined) return undefined;
  const found = index.byEntity(pid, entityId);
  if (found !== undefined || start === undefined) return found;
  const startMs = Date.parse(start);
  await reader(startMs - START_WINDOW_MS, startMs + START_WINDOW_MS);
  return index.byEntity(pid, entityId);
}

async function ancestorsOf(subject: KnownProcess, { index, reader }: {
  readonly index: ProcessIndex;
  readonly reader: BlockReader;
}): Promise<{ ancestors: KnownProcess[]; complete: boolean }> {
  const ancestors: KnownProcess[] = [];
  const seen = new Set([subject]);
  for (let child = subject; ancestors.length < ANCESTORS_MAX;) {
    if (child.parentPid === 0) return { ancestors, complete: true };
    if (index.parentOf(child) === undefined && child.parentStartNs > 0n) {
      // Its records lie where it started.
      const startMs = Number((child.parentStartNs + child.boot.wallOffsetNs) / 1_000_000n);
      await reader(startMs - START_WINDOW_MS, startMs + START_WINDOW_MS);
    }
    const parent = index.parentOf(child);
    if (parent === undefined || seen.has(parent)) break;
    seen.add(parent);
    ancestors.push(parent);
    child = parent;
  }
  return { ancestors, complete: false };
}

function fromAlert(process: NonNullable<Alert["process"]>): TreeProcess {
  return {
    pid: process.pid,
    ...(process.entity_id === undefined ? {} : { entityId: process.entity_id }),
    ...(process.start === undefined ? {} : { start: process.start }),
    ...(process.executable === undefined ? {} : { executable: process.executable }),
    ...(process.command_line === undefined ? {} : { commandLine: process.command_line }),
  };
}

function fromRecord(process: KnownProcess, index: ProcessIndex): TreeProcess {
  const program = programOf(process, index);
  return {
    pid: process.pid,
    entityId: processEntityId(process.boot, { pid: process.pid, startTimeNs: process.startNs }),
    start: wallTime(process.startNs, process.boot),
    ...(program.executable === undefined ? {} : { executable: program.executable }),
    ...(program.commandLine === undefined ? {} : { commandLine: program.commandLine }),
    uid: process.uid,
  };
}

/** A fork runs what its parent ran, which may be a fork too. */
function programOf(process: KnownProcess, index: ProcessIndex): KnownProcess {
  let program: KnownProcess | undefined = process;
  for (let i = 0; i < ANCESTORS_MAX && program !== undefined; i++) {
    if (program.executable !== undefined || !program.isFork) return program;
    program = index.parentOf(program);
  }
  return program ?? process;
}
