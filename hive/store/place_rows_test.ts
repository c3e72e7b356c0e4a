import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { KINDS, SOURCE_BULK, SOURCES } from "../../common/record/mod.ts";
import { type PlaceTally, TABLE_KIND } from "../../common/wire/mod.ts";
import { PlaceRows, PLACES_KEPT_MAX, readPlaces } from "./place_rows.ts";
import { migrate } from "./schema.ts";

const COUNTS = {
  seen: 1,
  submitted: 0,
  filtered: 0,
  folded: 0,
  ringFull: 1,
  oversized: 0,
  unreadable: 0,
};
const AGENT = 1;

function table(source: number): PlaceTally {
  return { ...COUNTS, kind: TABLE_KIND, source };
}

Deno.test("PlaceRows keeps each table, however many places an agent names", () => {
  using database = new DatabaseSync(":memory:");
  migrate(database, ":memory:");
  database.prepare(
    "INSERT INTO agents (number, id, host_id, host_name, enrolled_ms) VALUES (?, 'a', 'h', 'n', 0)",
  ).run(AGENT);
  const rows = new PlaceRows(database);
  const places = Array.from({ length: PLACES_KEPT_MAX + 5 }, (_, cpu): PlaceTally => ({
    ...COUNTS,
    kind: KINDS.open.id,
    source: SOURCE_BULK + cpu,
  }));
  rows.add(places, { agent: AGENT });
  rows.add([3, 7, 0x8003, SOURCES.hash, 0xF123, 0xF124].map(table), { agent: AGENT });
  const kept = readPlaces(database).get(AGENT) ?? [];
  const isTable = ({ kind }: PlaceTally): boolean => kind === TABLE_KIND;
  assertEquals(kept.filter((row) => !isTable(row)), places.slice(0, PLACES_KEPT_MAX));
  assertEquals(
    kept.filter(isTable).map(({ source, seen }) => [source, seen]),
    [[0, 2], [0x8000, 1], [SOURCES.hash, 1], [0xFFFF, 2]],
  );
});
