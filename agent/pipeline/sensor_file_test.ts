import { assertEquals } from "@std/assert";
import { KINDS } from "../../common/record/mod.ts";
import type { StatsRow } from "../sensors/sensor.ts";
import { readSensorFile, SENSOR_FILE_BYTES_MAX, writeSensorFile } from "./sensor_file.ts";

const NONE = { filtered: 0, folded: 0, ringFull: 0, oversized: 0, unreadable: 0 };
const OPENS: StatsRow = {
  kind: KINDS.open.id,
  source: 0x4003,
  sequence: 5,
  ...NONE,
  seen: 5,
  submitted: 3,
  ringFull: 2,
};

Deno.test("readSensorFile() reads each kind and CPU, and each table, by name", () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/sensor.json`;
  try {
    assertEquals(readSensorFile(path), undefined);
    const program = { name: "on_exec", missed: 0, runs: 0, runTimeNs: 0, attached: true };
    const table = { ...OPENS, kind: 0, source: 1 };
    const quiet = { ...OPENS, kind: KINDS.exec.id, source: 0, ...NONE, seen: 0, submitted: 0 };
    writeSensorFile(path, {
      rows: [OPENS, quiet, table],
      programs: [program, { ...program, name: "on_fork", missed: 4 }],
      detached: [{ program: "on_exit", count: 1 }],
    });
    const { places, missed, detached } = readSensorFile(path) ?? {};
    const counts = { ...NONE, seen: 5, submitted: 3, ringFull: 2 };
    assertEquals(places, [
      { kind: "open", cpu: 3, part: null, ...counts },
      { kind: "table", cpu: null, part: "processes", ...counts },
    ]);
    assertEquals(missed, [{ program: "on_fork", count: 4 }]);
    assertEquals(detached, [{ program: "on_exit", count: 1 }]);
    const file = { version: 1, time: "", places, missed, detached };
    const sized = (bytes: number): string => {
      const rest = bytes - JSON.stringify(file).length;
      return JSON.stringify({ ...file, time: `${"é".repeat(rest >> 1)}${"e".repeat(rest & 1)}` });
    };
    Deno.writeTextFileSync(path, sized(SENSOR_FILE_BYTES_MAX));
    assertEquals(readSensorFile(path)?.missed, missed);
    Deno.writeTextFileSync(path, sized(SENSOR_FILE_BYTES_MAX + 1));
    assertEquals(readSensorFile(path), undefined);
    for (const damage of ["", "{}", '{"version":1,"time":"","places":[{}],"missed":[]}']) {
      Deno.writeTextFileSync(path, damage);
      assertEquals(readSensorFile(path), undefined);
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
