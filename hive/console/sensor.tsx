import type { Child } from "hono/jsx";
import { LOST_OUTCOMES, lostOf, type LostOutcome, TIER_COUNTS } from "../../common/wire/mod.ts";
import type { PlaceView, SensorView, TableView, TallyView } from "../api/sensor_view.ts";
import { exact, short, visible, words } from "./format.ts";

/**
 * What a host's hooks saw, and what became of it: folded away, as few look at it.
 *
 * @param props What its sensor counted.
 */
export function Sensor({ sensor }: { readonly sensor: SensorView }): Child {
  const { kinds, places, tables, missed, detached } = sensor;
  return (
    <details class="sensor">
      <summary>What its sensor saw</summary>
      <Counts
        columns={["kind", "seen", "sent", "filtered", "folded", "lost"]}
        rows={kinds.map((row) => ({
          name: words(row.kind),
          values: [row.seen, row.submitted, row.filtered, row.folded, lostOf(row)],
        }))}
      />
      <Lost kinds={kinds} places={places} />
      {tables.length > 0 && <Tables tables={tables} />}
      {missed.map(({ program, count }) => (
        <p key={program} class="note">{`${visible(program)} missed ${exact(count)} runs`}</p>
      ))}
      {detached.map(({ program, count }) => (
        <p key={program} class="note">
          {`${visible(program)} was found not attached ${exact(count)} times`}
        </p>
      ))}
    </details>
  );
}

/** What was lost by cause: of each kind, then where, from the first loss on. */
function Lost({ kinds, places }: Pick<SensorView, "kinds" | "places">): Child {
  const lines = [
    ...kinds.map((row) => ({ name: words(row.kind), row })),
    ...places.map((row) => ({ name: `${words(row.kind)} ${placeName(row)}`, row })),
  ].filter(({ row }) => lostOf(row) > 0);
  if (lines.length === 0) return null;
  return (
    <ul class="causes" aria-label="Events lost by kind, place and cause">
      {lines.map(({ name, row }) => <li key={name}>{`${name}: ${causesOf(row)}`}</li>)}
    </ul>
  );
}

/** What its tables were asked to hold. */
function Tables({ tables }: Pick<SensorView, "tables">): Child {
  return (
    <Counts
      columns={["table", "asked", "held", "there", "no room", "refused"]}
      rows={tables.map((row) => ({ name: words(row.table), values: heldOf(row) }))}
    />
  );
}

interface CountsProps {
  /** Of the names, then of each count. */
  readonly columns: readonly string[];
  readonly rows: readonly { readonly name: string; readonly values: readonly number[] }[];
}

/** A table of counts: what is counted, then a column a count. */
function Counts({ columns, rows }: CountsProps): Child {
  return (
    <table>
      <thead>
        <tr>
          {columns.map((name) => <th key={name} scope="col">{name}</th>)}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, values }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            {values.map((value, i) => <td key={i} title={exact(value)}>{short(value)}</td>)}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function heldOf(row: TableView): readonly number[] {
  return [row.seen, row.submitted, row.filtered, row.ringFull, row.oversized + row.unreadable];
}

function causesOf(row: TallyView): string {
  const causes = LOST_OUTCOMES.filter((cause) => row[cause] > 0);
  return causes.map((cause) => `${CAUSE_WORDS[cause]} ${exact(row[cause])}`).join(", ");
}

function placeName({ cpu, part }: PlaceView): string {
  return cpu === null ? `by ${words(part ?? "other")}` : `on CPU ${cpu}`;
}

const CAUSE_WORDS = {
  ringFull: "ring full",
  oversized: "oversized",
  unreadable: "unreadable",
} as const satisfies Record<LostOutcome, string>;

/**
 * What a host's enforcement did, tier by tier.
 *
 * @param props Its tiers.
 */
export function Tiers({ tiers }: { readonly tiers: SensorView["tiers"] }): Child {
  return (
    <details class="sensor">
      <summary>What it refused</summary>
      <Counts
        columns={["tier", ...TIER_COUNTS]}
        rows={tiers.map((row) => ({
          name: row.hosts > 0 ? row.tier : `${row.tier}, not in force`,
          values: TIER_COUNTS.map((name) => row[name]),
        }))}
      />
    </details>
  );
}
