import { ImmuneError } from "../../common/config/errors.ts";
import { SensorControl } from "./control.ts";
import { lastError, loadLibrary } from "./library.ts";
import { encodeOptions, type KernelOptions } from "./options.ts";
import type { Sensor } from "./sensor.ts";

/** This host's kernel as a sensor. One thread polls; others use {@linkcode SensorControl}. */
export class KernelSensor extends SensorControl implements Sensor {
  /** A kernel never ends. */
  readonly ended = false;

  /**
   * Loads and attaches.
   *
   * @param options Where things are and how large the rings.
   * @returns The sensor; close it.
   * @throws {ImmuneError} `SENSOR_UNAVAILABLE` with the reason and what to do.
   */
  static open(options: KernelOptions = {}): KernelSensor {
    const { symbols } = loadLibrary(options);
    const out = new BigUint64Array(1);
    const result = symbols.immune_sensor_open(encodeOptions(options), out);
    const handle = out[0] ?? 0n;
    if (result < 0n || handle === 0n) {
      throw new ImmuneError("SENSOR_UNAVAILABLE", lastError(symbols));
    }
    return new KernelSensor(handle, options);
  }

  /**
   * Waits until there are records and writes whole ones, from the start of `view`.
   *
   * @param view At least `RECORD_BYTES_MAX` bytes; may be over WASM memory.
   * @param timeoutMs Longest wait, in milliseconds.
   * @returns Bytes written; 0 when there was nothing.
   * @throws {ImmuneError} `SENSOR_FAILED` when the sensor stopped working.
   */
  poll(view: Uint8Array<ArrayBuffer>, timeoutMs: number): number {
    return this.check(
      this.symbols.immune_sensor_poll(this.pointer(), view, view.length, timeoutMs),
    );
  }

  /** Detaches everything and lets go whoever waits. More calls do nothing. */
  close(): void {
    const handle = this.release();
    if (handle !== 0n) this.symbols.immune_sensor_close(handle);
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}
