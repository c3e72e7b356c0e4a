import { assertEquals } from "@std/assert";
import { hostSensorLines, sensorTexts } from "./sensor.ts";

const NONE = { filtered: 0, folded: 0, ringFull: 0, oversized: 0, unreadable: 0 };
const OPENS = { ...NONE, seen: 9, submitted: 2, ringFull: 4, oversized: 3 };

Deno.test("sensorTexts() names CPUs where something was lost, tables, and programs", () => {
  const texts = sensorTexts({
    kinds: [{ kind: "open", ...OPENS }],
    places: [
      { kind: "open", cpu: 3, part: null, ...OPENS },
      { kind: "open", cpu: null, part: "watch", ...OPENS },
    ],
    tables: [{ table: "processes", ...NONE, seen: 5, submitted: 4, ringFull: 1 }],
    missed: [{ program: "on_exec", count: 2 }],
    detached: [{ program: "on_exit", count: 1 }],
  });
  assertEquals(texts.map((text) => text.replaceAll(/ +/g, " ").trimStart().split("\n")), [
    [
      "KIND SEEN SUBMITTED FILTERED FOLDED RING FULL OVERSIZED UNREADABLE",
      "open 9 2 0 0 4 3 0",
    ],
    [
      "LOST OF AT SEEN SUBMITTED FILTERED FOLDED RING FULL OVERSIZED UNREADABLE",
      "open CPU 3 9 2 0 0 4 3 0",
      "open watch 9 2 0 0 4 3 0",
    ],
    ["TABLE ASKED HELD THERE NO ROOM OVERSIZED UNREADABLE", "processes 5 4 0 1 0 0"],
    ["Program on_exec did not run 2 times: it ran on that CPU already"],
    ["Program on_exit was found not attached 1 times"],
  ]);
});

Deno.test("sensorTexts() reads what a hive of an earlier version tells", () => {
  assertEquals(sensorTexts({ kinds: [], missed: [] }), []);
  assertEquals(sensorTexts(undefined), []);
});

Deno.test("hostSensorLines() says where this host lost any, and which table was full", () => {
  const lines = hostSensorLines({
    time: "2026-11-22T12:00:00Z",
    places: [
      { kind: "open", cpu: 0, part: null, ...NONE, seen: 7, submitted: 7 },
      { kind: "open", cpu: 3, part: null, ...OPENS },
      { kind: "table", cpu: null, part: "processes", ...NONE, seen: 5, submitted: 4, ringFull: 1 },
    ],
    missed: [],
    detached: [{ program: "on_exit", count: 1 }],
  });
  assertEquals(lines, [
    "This host's sensor: 16 events seen and 7 of them lost, until 2026-11-22T12:00:00Z",
    "  open CPU 3: 4 full, 3 oversized",
    "  table processes: 1 full",
    "  Program on_exit was found not attached 1 times",
  ]);
});

Deno.test("hostSensorLines() lets nothing of the file repaint the terminal", () => {
  const lines = hostSensorLines({
    time: "\x1b[2J",
    places: [{ kind: "\x1b[2J", cpu: null, part: "\x1b[2J", ...OPENS }],
    missed: [{ program: "\x1b[2J", count: 1 }],
    detached: [{ program: "\x1b[2J", count: 1 }],
  });
  assertEquals(lines.filter((line) => line.includes("\x1b")), []);
});
