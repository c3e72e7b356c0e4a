import { createHash } from "node:crypto";

/** Where and when a process id means one process. */
export interface HostBoot {
  /** Host id, 64 lower-case hexadecimal digits. */
  readonly hostId: string;
  /** Boot id, 32 lower-case hexadecimal digits. */
  readonly bootId: string;
}

/** What names a process within one boot. */
export interface ProcessStart {
  readonly pid: number;
  /** Nanoseconds since boot when it started. */
  readonly startTimeNs: bigint;
}

const LABEL = "immune process v1";

/**
 * ECS `process.entity_id`: the same process has the same id in every record, batch and alert, on
 * the agent and on the hive.
 *
 * @param boot Host and boot.
 * @param process Process id and start.
 * @returns First 16 bytes of SHA-256 over label, host, boot, pid (u32) and start (u64),
 * little-endian, as 32 hexadecimal digits.
 */
export function processEntityId(boot: HostBoot, process: ProcessStart): string {
  const numbers = new DataView(new ArrayBuffer(12));
  numbers.setUint32(0, process.pid, true);
  numbers.setBigUint64(4, process.startTimeNs, true);
  return createHash("sha256")
    .update(LABEL)
    .update(boot.hostId, "hex")
    .update(boot.bootId, "hex")
    .update(new Uint8Array(numbers.buffer))
    .digest("hex")
    .slice(0, 32);
}

/** What names one record for ever. */
export interface RecordKey extends HostBoot {
  /** Sensor epoch, counted in the state folder. */
  readonly epoch: number;
  readonly source: number;
  readonly sequence: number;
}

/**
 * An alert's id: a hash of rule and record, so that the same finding has the same id wherever and
 * whenever it is made.
 *
 * @param ruleId Sigma rule id.
 * @param record Key of the record that fired it.
 * @returns 32 hexadecimal digits.
 */
export function alertId(ruleId: string, record: RecordKey): string {
  const { hostId, bootId, epoch, source, sequence } = record;
  return createHash("sha256")
    .update(JSON.stringify(["immune alert v1", ruleId, hostId, bootId, epoch, source, sequence]))
    .digest("hex")
    .slice(0, 32);
}
