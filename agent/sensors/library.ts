import { fileURLToPath } from "node:url";
import { ImmuneError } from "../../common/config/errors.ts";
import { PROGRAM_ROOT } from "../../common/config/program.ts";

/** Version of the interface that this code speaks (IMMUNE_SENSOR_ABI). */
export const SENSOR_ABI = 3;
/** Longest error line of the library, in bytes. */
const ERROR_BYTES_MAX = 512;

// A handle is a u64: Deno makes pointers only with unscoped --allow-ffi.
const SYMBOLS = {
  immune_read: { parameters: ["buffer", "buffer", "u32"], result: "i64" },
  immune_boot_time_ns: { parameters: [], result: "i64" },
  immune_error: { parameters: ["buffer", "u32"], result: "i64" },
  immune_sensor_open: { parameters: ["buffer", "buffer"], result: "i64" },
  immune_sensor_poll: { parameters: ["u64", "buffer", "u32", "u32"], result: "i64" },
  immune_sensor_wake: { parameters: ["u64"], result: "i64" },
  immune_sensor_stats: { parameters: ["u64", "buffer", "u32"], result: "i64" },
  immune_sensor_policy: { parameters: ["u64", "buffer", "u32"], result: "i64" },
  immune_sensor_programs: { parameters: ["u64", "buffer", "u32"], result: "i64" },
  immune_sensor_folded: { parameters: ["u64", "buffer", "u32"], result: "i64" },
  immune_sensor_label: { parameters: ["u64", "buffer", "u32"], result: "i64" },
  immune_capabilities: { parameters: ["buffer", "buffer", "u32"], result: "i64" },
  immune_process_signal: {
    parameters: ["u64", "u32", "u64", "buffer", "i32"],
    result: "i64",
  },
  immune_sensor_program_ids: { parameters: ["u64", "buffer", "u32"], result: "i64" },
  immune_programs_left: { parameters: ["buffer", "u32"], result: "i64" },
  immune_sensor_unwatched: { parameters: ["u64"], result: "i64" },
  immune_sensor_verify: { parameters: ["u64", "buffer", "u32"], result: "i64" },
  immune_protect: { parameters: [], result: "i64" },
  immune_settle: { parameters: [], result: "i64" },
  immune_forget_start: { parameters: [], result: "i64" },
  immune_enforce_open: { parameters: ["u64", "buffer", "buffer"], result: "i64" },
  immune_enforce_policy: { parameters: ["u64", "buffer", "u32"], result: "i64" },
  immune_enforce_look: { parameters: ["u64"], result: "i64" },
  immune_enforce_left: { parameters: ["u64", "buffer", "u32"], result: "i64" },
  immune_enforce_asks: { parameters: ["u64", "u64"], result: "i64" },
  immune_enforce_pause: { parameters: ["u64", "u32"], result: "i64" },
  immune_enforce_counts: { parameters: ["u64", "buffer", "u32"], result: "i64" },
  immune_enforce_program_ids: { parameters: ["u64", "buffer", "u32"], result: "i64" },
  immune_enforce_verify: { parameters: ["u64", "buffer", "u32"], result: "i64" },
  immune_enforce_close: { parameters: ["u64"], result: "i64" },
  immune_enforce_release: { parameters: ["buffer", "buffer", "u32"], result: "i64" },
  immune_enforce_pinned: { parameters: ["buffer"], result: "i64" },
  immune_enforce_trial: { parameters: ["buffer", "buffer", "u32"], result: "i64" },
  immune_file_about: { parameters: ["buffer", "u32", "buffer"], result: "i64" },
  immune_file_again: { parameters: ["buffer", "buffer"], result: "i64" },
  immune_file_close: { parameters: ["i64"], result: "i64" },
  immune_sensor_close: { parameters: ["u64"], result: "i64" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The small program that lets opens go while the agent stands still; it lies beside the library. */
export const GUARDIAN_PROGRAM = fileURLToPath(new URL("out/immune-guardian", PROGRAM_ROOT));
/** The small program that reads what a program may serve; it lies there too. */
export const HASHER_PROGRAM = fileURLToPath(new URL("out/immune-hasher", PROGRAM_ROOT));

/** Where the loader's library is. */
export interface LibraryOptions {
  /** Path of `libimmune_sensor.so`; default `out/libimmune_sensor.so` of this project. */
  readonly library?: string;
}

/** The loader's functions, as they are. */
export type LibrarySymbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** The loaded library: one a path, kept until the process ends. */
export interface Library {
  readonly path: string;
  readonly symbols: LibrarySymbols;
}

/** Bound by the number of distinct paths asked for: one, outside tests. */
const LOADED = new Map<string, Library>();

/**
 * Loads the sensor's library, once a path.
 *
 * @param options Where it is.
 * @returns Its functions.
 * @throws {ImmuneError} `SENSOR_UNAVAILABLE` when the file is missing or does not load.
 */
export function loadLibrary(options: LibraryOptions = {}): Library {
  const path = options.library ??
    fileURLToPath(new URL("out/libimmune_sensor.so", PROGRAM_ROOT));
  const known = LOADED.get(path);
  if (known !== undefined) return known;
  const library = { path, symbols: open(path) };
  LOADED.set(path, library);
  return library;
}

function open(path: string): LibrarySymbols {
  try {
    return Deno.dlopen(path, SYMBOLS).symbols;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n", 1)[0] : String(cause);
    throw new ImmuneError(
      "SENSOR_UNAVAILABLE",
      `Cannot load the sensor's library "${path}": ${reason}; run "deno task build" first`,
      { cause },
    );
  }
}

/**
 * The library's last error on this thread.
 *
 * @param symbols Functions of the library.
 * @returns One line, without a full stop.
 */
export function lastError(symbols: LibrarySymbols): string {
  const buffer = new Uint8Array(ERROR_BYTES_MAX);
  const length = Number(symbols.immune_error(buffer, buffer.length));
  return new TextDecoder().decode(buffer.subarray(0, Math.max(length, 0)));
}

/**
 * A path or name as C wants it.
 *
 * @param value Text without NUL.
 * @returns Its UTF-8 bytes and a NUL.
 * @throws {ImmuneError} `CONFIG_INVALID` when there is a NUL inside.
 */
export function cString(value: string): Uint8Array<ArrayBuffer> {
  if (value.includes("\0")) {
    throw new ImmuneError("CONFIG_INVALID", `Cannot use "${value}": there is a NUL in it`);
  }
  return new TextEncoder().encode(value + "\0");
}
