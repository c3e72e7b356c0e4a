import * as z from "zod";
import type { SensorFile } from "../../agent/pipeline/sensor_file.ts";
import { LOST_OUTCOMES, lostOf, type LostOutcome } from "../../common/wire/tally.ts";
import { type Column, table } from "./table.ts";
import { visible } from "./terminal.ts";

const count = z.number();
const outcomes = {
  seen: count,
  submitted: count,
  filtered: count,
  folded: count,
  ringFull: count,
  oversized: count,
  unreadable: count,
};
const place = { cpu: count.nullable(), part: z.string().nullable() };
const programs = z.array(z.object({ program: z.string(), count })).default([]);
const sensorSchema = z.object({
  kinds: z.array(z.object({ kind: z.string(), ...outcomes })),
  // A hive of an earlier version tells none.
  places: z.array(z.object({ kind: z.string(), ...place, ...outcomes })).default([]),
  tables: z.array(z.object({ table: z.string(), ...outcomes })).default([]),
  missed: programs,
  detached: programs,
  tiers: z.array(z.object({
    tier: z.string(),
    hosts: count,
    judged: count,
    refused: count,
    monitored: count,
    capped: count,
    failed: count,
  })).default([]),
});

type Place = z.infer<z.ZodObject<typeof place>>;
type SensorAnswer = z.infer<typeof sensorSchema>;

/**
 * What the sensors of all hosts counted: SEEN is the sum of the columns behind it. CPUs are named
 * only where something was lost.
 *
 * @param answer As a hive tells it.
 * @returns Texts to print one after the other; none when the hive tells nothing of it.
 */
export function sensorTexts(answer: unknown): readonly string[] {
  const sensor = sensorSchema.safeParse(answer).data;
  if (sensor === undefined) return [];
  const { kinds, places, tables, missed, detached, tiers } = sensor;
  return [
    ...paragraph(kinds, [named("KIND", ({ kind }) => kind), ...OUTCOME_COLUMNS]),
    ...paragraph(places, [
      named("LOST OF", ({ kind }) => kind),
      named("AT", placeName),
      ...OUTCOME_COLUMNS,
    ]),
    ...paragraph(tables, [named("TABLE", ({ table }) => table), ...TABLE_COLUMNS]),
    ...programLines({ missed, detached }),
    ...paragraph(tiers, TIER_COLUMNS),
  ];
}

/**
 * What this host's own sensor lost since it was opened, as its agent last put it down.
 *
 * @param counted Of its agent.
 * @returns A line that sums it up, and one for each place that lost any or table that was full.
 */
export function hostSensorLines(
  { time, places, missed, detached }: SensorFile,
): readonly string[] {
  const events = places.filter(({ kind }) => kind !== "table");
  const seen = events.reduce((sum, row) => sum + row.seen, 0);
  const lost = places.filter((row) => lostOf(row) > 0);
  const lines = lost.map((row) => `  ${visible(row.kind)} ${placeName(row)}: ${causesOf(row)}`);
  const sum = events.reduce((sum, row) => sum + lostOf(row), 0);
  return [
    `This host's sensor: ${seen} events seen and ${sum} of them lost, until ${visible(time)}`,
    ...lines,
    ...programLines({ missed, detached }).map((line) => `  ${line}`),
  ];
}

function programLines(
  { missed, detached }: Pick<SensorFile, "missed" | "detached">,
): readonly string[] {
  return [
    ...missed.map(({ program, count }) =>
      `Program ${visible(program)} did not run ${count} times: it ran on that CPU already`
    ),
    ...detached.map(({ program, count }) =>
      `Program ${visible(program)} was found not attached ${count} times`
    ),
  ];
}

function paragraph<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): readonly string[] {
  return rows.length === 0 ? [] : [`\n${table(rows, columns).trimEnd()}`];
}

function placeName({ cpu, part }: Place): string {
  return cpu === null ? visible(part ?? "other") : `CPU ${cpu}`;
}

function causesOf(row: Readonly<Record<LostOutcome, number>>): string {
  const causes = LOST_OUTCOMES.filter((cause) => row[cause] > 0);
  return causes.map((cause) => `${row[cause]} ${CAUSE_WORDS[cause]}`).join(", ");
}

function named<Row>(title: string, nameOf: (row: Row) => string): Column<Row> {
  return { title, value: (row) => visible(nameOf(row)) };
}

function counted<Name extends string>(
  title: string,
  name: Name,
): Column<Readonly<Record<Name, number>>> {
  return { title, value: (row) => String(row[name]) };
}

const CAUSE_WORDS = {
  ringFull: "full",
  oversized: "oversized",
  unreadable: "unreadable",
} as const satisfies Record<LostOutcome, string>;

const OUTCOME_COLUMNS = [
  counted("SEEN", "seen"),
  counted("SUBMITTED", "submitted"),
  counted("FILTERED", "filtered"),
  counted("FOLDED", "folded"),
  counted("RING FULL", "ringFull"),
  counted("OVERSIZED", "oversized"),
  counted("UNREADABLE", "unreadable"),
] as const;

/** HELD: it found room; THERE: it was in it already. */
const TABLE_COLUMNS = [
  counted("ASKED", "seen"),
  counted("HELD", "submitted"),
  counted("THERE", "filtered"),
  counted("NO ROOM", "ringFull"),
  counted("OVERSIZED", "oversized"),
  counted("UNREADABLE", "unreadable"),
] as const;

/** HOSTS: on which it is in force. */
const TIER_COLUMNS = [
  named("TIER", ({ tier }: SensorAnswer["tiers"][number]) => tier),
  counted("HOSTS", "hosts"),
  counted("JUDGED", "judged"),
  counted("REFUSED", "refused"),
  counted("MONITORED", "monitored"),
  counted("CAPPED", "capped"),
  counted("FAILED", "failed"),
] as const;
