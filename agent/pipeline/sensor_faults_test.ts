import { assertEquals } from "@std/assert";
import type { Unfaithful } from "../sensors/control.ts";
import { SensorFaults } from "./sensor_faults.ts";

const EXEC: Unfaithful = { what: "program", name: "on_exec", restored: true };
const FORK: Unfaithful = { what: "program", name: "on_fork", restored: true };
const MARKS: Unfaithful = { what: "map", name: "marks", restored: false };
const GUARDIAN: Unfaithful = { what: "guardian", name: "immune-guardian", restored: true };

/** What a look comes to whose calls find this. */
function look(faults: SensorFaults, ...calls: Unfaithful[][]): readonly string[] | undefined {
  for (const rows of calls) faults.take(rows);
  return faults.end();
}

Deno.test("SensorFaults names programs, no maps, and nothing that sees nothing", () => {
  const faults = new SensorFaults();
  assertEquals(look(faults), undefined);
  assertEquals(look(faults, []), undefined);
  assertEquals(look(faults, [GUARDIAN], []), undefined);
  assertEquals(look(faults, [MARKS], []), []);
  assertEquals(look(faults, [EXEC, MARKS, FORK, GUARDIAN], []), ["on_exec", "on_fork"]);
});

Deno.test("SensorFaults counts the first call of a look, and what stays wrong once", () => {
  const faults = new SensorFaults();
  assertEquals(look(faults, [EXEC], [FORK]), ["on_exec"]);
  assertEquals(look(faults, [EXEC], []), ["on_exec"]);
  const broken = { ...EXEC, restored: false };
  assertEquals(look(faults, [broken], [broken]), ["on_exec"]);
  assertEquals(look(faults, [broken, FORK], [broken]), ["on_fork"]);
  assertEquals(look(faults, [broken], []), undefined);
  assertEquals(look(faults, [broken], [broken]), ["on_exec"]);
});
