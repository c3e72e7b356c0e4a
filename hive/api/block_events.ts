import {
  decodeRecords,
  type EcsDocument,
  ecsDocument,
  hasEcsForm,
  KINDS,
  type ProgramBytes,
  type RecordView,
  text,
} from "../../common/record/mod.ts";
import { decodeBatch } from "../../common/wire/mod.ts";
import type { StoredBlock } from "../store/store.ts";

/**
 * The events of a stored block.
 *
 * @param block The block.
 * @param hostName Name of its host.
 * @returns ECS documents, newest first; programs and user names as far as the block tells them.
 * @throws {ImmuneError} when the block is damaged.
 */
export function blockEvents(block: StoredBlock, hostName: string): EcsDocument[] {
  const { info, records } = decodeBatch(block.bytes);
  const programs = new Map<string, ProgramBytes>();
  const users = new Map<number, string>();
  const context = { ...info, hostName, userName: (uid: number) => users.get(uid) };
  const documents: EcsDocument[] = [];
  let position = info.first;
  for (const record of decodeRecords(records)) {
    learn(record, { programs, users });
    if (position++ < block.from || !isEvent(record.kindId)) continue;
    documents.push(ecsDocument(record, {
      ...context,
      process: programs.get(processOf(record)),
      parent: programs.get(parentOf(record)),
    }));
  }
  return documents.reverse();
}

/** Context, alerts and loss reports are no events of their own. */
function isEvent(kindId: number): boolean {
  return kindId < KINDS.process.id || (kindId !== KINDS.process.id && hasEcsForm(kindId));
}

function learn(record: RecordView, known: {
  readonly programs: Map<string, ProgramBytes>;
  readonly users: Map<number, string>;
}): void {
  if (record.kind === "user") {
    const name = record.slot("user", "name");
    if (name !== undefined) known.users.set(record.uid, text(name));
  } else if (record.kind === "exec" || record.kind === "process") {
    known.programs.set(processOf(record), {
      image: record.slot(record.kind, "image"),
      argv: record.slot(record.kind, "argv"),
      cwd: record.slot(record.kind, "cwd"),
    });
  } else if (record.kind === "fork") {
    const inherited = known.programs.get(parentOf(record));
    if (inherited !== undefined) known.programs.set(processOf(record), inherited);
  }
}

function processOf(record: RecordView): string {
  return `${record.pid} ${record.startTimeNs}`;
}

function parentOf(record: RecordView): string {
  return `${record.parentPid} ${record.parentStartTimeNs}`;
}
