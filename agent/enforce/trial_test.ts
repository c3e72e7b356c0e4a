import { assertEquals, assertStringIncludes } from "@std/assert";
import { CAPABILITY_ROW_BYTES } from "../sensors/capabilities.ts";
import { decodeTrials, TRIALS } from "./trial.ts";

const LOADER = new URL("../../bpf/loader/enforce_trial.c", import.meta.url);
const [WORKS, REFUSED, SILENT] = [1, 2, 3];
const [EPERM, EAGAIN, ENOMEM] = [1, 11, 12];

type Row = readonly [state: number, error?: number, reason?: string];

/** Rows as the loader writes them; those that are not given work. */
function mayWork(...given: readonly Row[]): readonly boolean[] {
  const rows = new Uint8Array(CAPABILITY_ROW_BYTES * TRIALS.length);
  const view = new DataView(rows.buffer);
  TRIALS.forEach((_, i) => {
    const [state, error = 0, reason = ""] = given[i] ?? [WORKS];
    const at = i * CAPABILITY_ROW_BYTES;
    view.setUint16(at, i, true);
    view.setUint16(at + 2, state, true);
    view.setInt32(at + 4, error, true);
    rows.set(new TextEncoder().encode(reason), at + 8);
  });
  return decodeTrials(rows).map(({ mayWork = false }) => mayWork);
}

Deno.test("decodeTrials() tells what passes from what this kernel has not", async () => {
  const notAsked = "not refused: the kernel's list of LSMs lacks bpf";
  assertStringIncludes(await Deno.readTextFile(LOADER), "the kernel's list of LSMs lacks bpf");
  assertEquals(
    mayWork(
      [REFUSED, EPERM, "a"],
      [REFUSED, ENOMEM, "b"],
      [SILENT, 0, notAsked],
      [SILENT, 0, "refused its own test act, but told nothing"],
      [REFUSED, EAGAIN, "c"],
    ),
    [false, true, false, true, true, false, false],
  );
});

Deno.test("decodeTrials() knows a trial whose own sensor did not load", () => {
  const row: Row = [REFUSED, EPERM, "Cannot load the sensor's programs"];
  assertEquals(mayWork(...TRIALS.map(() => row)), TRIALS.map(() => true));
  assertEquals(mayWork(...TRIALS.slice(1).map(() => row)), TRIALS.map(() => false));
});
