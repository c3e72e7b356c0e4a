import { assertEquals } from "@std/assert";
import { Sightings } from "../../common/sigma/correlation/mod.ts";
import { inFolder } from "./_pipeline_test_support.ts";
import { SightingsFile } from "./sightings_file.ts";

const ENTRY_BYTES = 28;

function open(path: string, sightings?: Sightings): SightingsFile {
  const onWarning = (line: string): never => {
    throw new Error(line);
  };
  return new SightingsFile(path, { onWarning, ...(sightings === undefined ? {} : { sightings }) });
}

function see({ sightings }: SightingsFile, group: string, timeMs: number): boolean {
  return sightings.see([group], { timeMs, spanMs: 1000 });
}

Deno.test("SightingsFile remembers what was appended when nothing was closed", async () => {
  await inFolder((folder) => {
    const path = `${folder}/sightings`;
    using killed = open(path);
    assertEquals([see(killed, "a", 0), see(killed, "b", 0)], [true, true]);
    killed.append();
    assertEquals(Deno.statSync(path).size, 2 * ENTRY_BYTES);
    using next = open(path);
    assertEquals([see(next, "a", 900), see(next, "b", 1001), see(next, "c", 0)], [
      false,
      true,
      true,
    ]);
  });
});

Deno.test("SightingsFile leaves out entries that are torn, wherever they are", async () => {
  await inFolder((folder) => {
    const path = `${folder}/sightings`;
    {
      using file = open(path);
      for (const group of ["a", "b", "c"]) see(file, group, 0);
    }
    const bytes = Deno.readFileSync(path);
    bytes[ENTRY_BYTES + 3] = (bytes[ENTRY_BYTES + 3] ?? 0) ^ 1;
    Deno.writeFileSync(path, bytes.subarray(0, 3 * ENTRY_BYTES - 1));
    using file = open(path);
    assertEquals(["a", "b", "c"].map((group) => see(file, group, 1)), [false, true, true]);
  });
});

Deno.test("SightingsFile holds what is remembered alone when it is opened again", async () => {
  await inFolder((folder) => {
    const path = `${folder}/sightings`;
    {
      using file = open(path);
      for (let timeMs = 0; timeMs < 5000; timeMs += 100) {
        see(file, "a", timeMs);
        file.append();
      }
      assertEquals(Deno.statSync(path).size, 50 * ENTRY_BYTES);
    }
    using _file = open(path);
    assertEquals(Deno.statSync(path).size, ENTRY_BYTES);
  });
});
