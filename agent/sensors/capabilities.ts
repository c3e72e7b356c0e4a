import { ImmuneError } from "../../common/config/errors.ts";
import { lastError, loadLibrary } from "./library.ts";
import { encodeOptions, type KernelOptions } from "./options.ts";

/** Names of `enum immune_capability`, in its order. */
export const CAPABILITIES = [
  "exec",
  "snapshot",
  "connect",
  "watch",
  "wide_open",
  "identity",
  "flow",
  "dns",
  "signal",
  "bloom",
  "access",
  "act",
  "device",
  "change",
  "hash",
  "ring_open",
] as const;
/** Names of `enum immune_capability_state`, in its order. */
export const CAPABILITY_STATES = ["untried", "works", "refused", "silent"] as const;

/** Bytes of `struct immune_capability_row`: u16 capability, u16 state, i32 error, 120 of text. */
export const CAPABILITY_ROW_BYTES = 128;
const REASON_OFFSET = 8;
/** Rows that there is room for: more than this version knows of. */
const ROWS_MAX = 32;

/** What a trial of one capability gave. */
export interface CapabilityRow {
  readonly capability: (typeof CAPABILITIES)[number];
  /** `silent`: attached without error, yet its trigger was not observed. */
  readonly state: (typeof CAPABILITY_STATES)[number];
  /** Number of the error, or 0. */
  readonly error: number;
  /** One line; empty when it works. */
  readonly reason: string;
}

/**
 * Tries each capability on this host, on a sensor of its own. Takes up to 10 s.
 *
 * @param options As for a sensor.
 * @returns A row a capability that this version knows.
 * @throws {ImmuneError} `SENSOR_UNAVAILABLE` when nothing could be tried.
 */
export function tryCapabilities(options: KernelOptions = {}): readonly CapabilityRow[] {
  const { symbols } = loadLibrary(options);
  const rows = new Uint8Array(CAPABILITY_ROW_BYTES * ROWS_MAX);
  const count = Number(
    symbols.immune_capabilities(encodeOptions(options), rows, ROWS_MAX),
  );
  if (count < 0) throw new ImmuneError("SENSOR_UNAVAILABLE", lastError(symbols));
  return decodeCapabilities(rows.subarray(0, Math.min(count, ROWS_MAX) * CAPABILITY_ROW_BYTES));
}

/**
 * Reads rows as the loader writes them; a capability or state of a newer loader is left out.
 *
 * @param rows Whole rows of `struct immune_capability_row`.
 * @returns What they say.
 */
export function decodeCapabilities(rows: Uint8Array): readonly CapabilityRow[] {
  const view = new DataView(rows.buffer, rows.byteOffset, rows.byteLength);
  const decoded: CapabilityRow[] = [];
  for (let at = 0; at + CAPABILITY_ROW_BYTES <= rows.length; at += CAPABILITY_ROW_BYTES) {
    const capability = CAPABILITIES[view.getUint16(at, true)];
    const state = CAPABILITY_STATES[view.getUint16(at + 2, true)];
    if (capability === undefined || state === undefined) continue;
    const text = rows.subarray(at + REASON_OFFSET, at + CAPABILITY_ROW_BYTES);
    const end = text.indexOf(0);
    const reason = new TextDecoder().decode(end < 0 ? text : text.subarray(0, end));
    decoded.push({ capability, state, error: view.getInt32(at + 4, true), reason });
  }
  return decoded;
}
