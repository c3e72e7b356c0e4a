import { encodeRecord } from "../../common/record/mod.ts";
import { type Alert, encodeBatch, type Loss, LOSS_CAUSES } from "../../common/wire/mod.ts";
import type { LossCause } from "../../common/wire/loss.ts";
import type { AgentRow, Store } from "./store.ts";

/** Time that the records of a sample batch start at, Unix time in milliseconds. */
export const SAMPLE_TIME_MS = Date.UTC(2026, 4, 5, 6, 7, 8);
/** Time between two records of a sample batch, in milliseconds. */
export const SAMPLE_STEP_MS = 10;

const BOOT_NS = 5_000_000_000n;

/** What a sample batch is made of. */
export interface SampleBatch {
  /** Position of the first record. */
  readonly first: number;
  /** Records, or how many: then they are forks. */
  readonly records: number | readonly Uint8Array[];
  readonly hostId: string;
  /** Default: 32 times "1". */
  readonly journalId?: string;
  readonly losses?: readonly Loss[];
  /** Unix time of its first record. Default: `SAMPLE_TIME_MS`. */
  readonly timeMs?: number;
}

/** A batch whose records differ by position, in memory of its own. */
export function sampleBatch(sample: SampleBatch): Uint8Array<ArrayBuffer> {
  const parts = typeof sample.records === "number"
    ? Array.from({ length: sample.records }, (_, i) => fork(sample.first + i, i))
    : sample.records;
  const records = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    records.set(part, offset);
    offset += part.length;
  }
  return encodeBatch({
    first: sample.first,
    recordCount: parts.length,
    losses: sample.losses ?? [],
    journalId: sample.journalId ?? "1".repeat(32),
    bootId: "b0".repeat(16),
    hostId: sample.hostId,
    epoch: 3,
    wallOffsetNs: BigInt(sample.timeMs ?? SAMPLE_TIME_MS) * 1_000_000n - BOOT_NS,
  }, records);
}

/** A fork record that carries a number, so many steps behind the start of its batch. */
export function fork(number: number, step = 0): Uint8Array {
  const time = BOOT_NS + BigInt(step * SAMPLE_STEP_MS) * 1_000_000n;
  return encodeRecord("fork", { header: { pid: number % 2 ** 32, time_ns: time } });
}

/** An alert as an agent makes it. */
export function sampleAlert(
  id: number,
  changes: { readonly hostId: string } & Partial<Pick<Alert, "time" | "severity">>,
): Alert {
  const { hostId, ...others } = changes;
  return {
    id: id.toString(16).padStart(32, "0"),
    time: new Date(SAMPLE_TIME_MS + id).toISOString(),
    host: { id: hostId, name: "gpu-1" },
    rule: { id: "r-1", title: "A rule" },
    severity: "high",
    event: { kind: "alert", action: "exec" },
    process: { pid: 7, entity_id: `e${id}`, executable: "/bin/sh" },
    ...others,
  } as unknown as Alert;
}

/** The record that carries a document as an alert. */
export function alertRecord(document: unknown): Uint8Array {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  return encodeRecord("alert", { header: { time_ns: BOOT_NS }, slots: { document: text } });
}

/** An entry of a loss ledger; without `first` it has no place. */
export function loss(
  cause: LossCause,
  { count, first = 0 }: { readonly count: number; readonly first?: number },
): Loss {
  return { cause: LOSS_CAUSES[cause], kind: 0, source: 0, certain: true, count, first };
}

/** An agent that is enrolled, with numbers that no other call gave. */
export async function enrolled(
  store: Store,
): Promise<Pick<AgentRow, "id" | "hostId" | "hostName"> & { readonly fingerprint: string }> {
  const hex = (bytes: number): string => crypto.getRandomValues(new Uint8Array(bytes)).toHex();
  const agent = { id: crypto.randomUUID(), hostId: hex(32), hostName: "gpu-1" };
  const fingerprint = hex(32);
  await store.addAgent(agent, fingerprint);
  return { ...agent, fingerprint };
}
