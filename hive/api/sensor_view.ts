import { kindName } from "../../common/record/mod.ts";
import {
  type MissedRuns,
  OUTCOMES,
  type Place,
  placeOf,
  type PlaceTally,
  TABLE_KIND,
  tableName,
  type Tally,
  TIER_COUNTS,
  type TierTally,
} from "../../common/wire/mod.ts";
import type { AgentLedger, AgentRow } from "../store/store.ts";

/** CPUs that are told apart; those above are told together, so that no agent makes a view long. */
export const CPUS_NAMED_MAX = 128;
/** Part under which they are told. */
const OTHER_CPUS = "other";

/** What a sensor counted of one kind of events: seen = the sum of the others. */
export interface TallyView extends Omit<Tally, "kind"> {
  /** Name of the kind; `other` for those that this version does not know. */
  readonly kind: string;
}

/** What a sensor counted of one kind where some of it was lost, from its first loss on. */
export interface PlaceView extends TallyView, Place {}

/** What a table of a sensor was asked to hold: `ringFull` found no room. */
export interface TableView extends Omit<Tally, "kind"> {
  readonly table: string;
}

/** What a tier of enforcement did. */
export interface TierView extends TierTally {
  /** Hosts on which it is in force, as they last said. */
  readonly hosts: number;
}

/** What a sensor counted. */
export interface SensorView {
  readonly kinds: readonly TallyView[];
  readonly places: readonly PlaceView[];
  readonly tables: readonly TableView[];
  /** Programs of it that the kernel left out at times, as they ran on that CPU already. */
  readonly missed: readonly MissedRuns[];
  /** Programs of it that were found not attached. */
  readonly detached: readonly MissedRuns[];
  /** Tiers of enforcement that are, or were, in force. */
  readonly tiers: readonly TierView[];
}

/**
 * What an agent's sensor counted.
 *
 * @param ledger Of the agent; `undefined` when nothing has come from it.
 * @param agent The agent itself.
 */
export function sensorView(ledger: AgentLedger | undefined, { revoked }: AgentRow): SensorView {
  const { tallies = [], places = [], missed = [], detached = [], tiers = [] } = ledger?.sensor ??
    {};
  return {
    kinds: tallies.map((row) => ({ ...row, kind: kindName(row.kind) ?? "other" })),
    places: together(places.filter(({ kind }) => kind !== TABLE_KIND).map(placeView), placeKey),
    tables: together(places.filter(({ kind }) => kind === TABLE_KIND).map(tableView), tableKey),
    missed,
    detached,
    tiers: tiers.map(({ inForce, ...row }) => ({ ...row, hosts: inForce && !revoked ? 1 : 0 })),
  };
}

/**
 * What the sensors of all agents counted together.
 *
 * @param agents All agents.
 */
export function fleetSensor(
  agents: readonly { readonly sensor: SensorView }[],
): SensorView {
  const tiers = new Map<string, TierView>();
  for (const row of agents.flatMap(({ sensor }) => sensor.tiers)) {
    const known = tiers.get(row.tier);
    tiers.set(row.tier, known === undefined ? row : addedTier(known, row));
  }
  return {
    kinds: together(agents.flatMap(({ sensor }) => sensor.kinds), ({ kind }) => kind),
    places: together(agents.flatMap(({ sensor }) => sensor.places), placeKey),
    tables: together(agents.flatMap(({ sensor }) => sensor.tables), tableKey),
    missed: programs(agents.flatMap(({ sensor }) => sensor.missed)),
    detached: programs(agents.flatMap(({ sensor }) => sensor.detached)),
    tiers: [...tiers.values()],
  };
}

function placeView({ kind, source, ...counts }: PlaceTally): PlaceView {
  const { cpu, part } = placeOf({ kind, source });
  const place = cpu !== null && cpu >= CPUS_NAMED_MAX
    ? { cpu: null, part: OTHER_CPUS }
    : { cpu, part };
  return { kind: kindName(kind) ?? "other", ...place, ...counts };
}

function tableView({ kind: _, source, ...counts }: PlaceTally): TableView {
  return { table: tableName(source), ...counts };
}

function placeKey({ kind, cpu, part }: PlaceView): string {
  return `${kind} ${cpu} ${part}`;
}

function tableKey({ table }: TableView): string {
  return table;
}

/** Rows of the same key added up, in the order of the first of each. */
function together<Row extends Omit<Tally, "kind">>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
): readonly Row[] {
  const sums = new Map<string, Row>();
  for (const row of rows) {
    const known = sums.get(keyOf(row));
    sums.set(keyOf(row), known === undefined ? row : added(known, row));
  }
  return [...sums.values()];
}

function added<Row extends Omit<Tally, "kind">>(a: Row, b: Row): Row {
  const counts = OUTCOMES.map((outcome) => [outcome, a[outcome] + b[outcome]]);
  return { ...a, seen: a.seen + b.seen, ...Object.fromEntries(counts) };
}

function addedTier(a: TierView, b: TierView): TierView {
  const counts = TIER_COUNTS.map((name) => [name, a[name] + b[name]]);
  return { ...a, hosts: a.hosts + b.hosts, ...Object.fromEntries(counts) };
}

function programs(rows: readonly MissedRuns[]): readonly MissedRuns[] {
  const sums = new Map<string, number>();
  for (const { program, count } of rows) sums.set(program, (sums.get(program) ?? 0) + count);
  return [...sums].map(([program, count]) => ({ program, count }));
}
