import {
  LOSS_CAUSE_NAMES,
  LOST_OUTCOMES,
  OUTCOMES,
  SCAN_SECONDS_BOUNDS,
  TIER_COUNTS,
} from "../../common/wire/mod.ts";
import { SEVERITIES } from "../../common/sigma/rule.ts";
import type { SensorView } from "./sensor_view.ts";
import type { DetectionView } from "./detection.ts";
import type { ScanTotals, StoreStats } from "../store/store.ts";

/** Content type of the Prometheus text format, version 0.0.4. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** What the metrics are made from. */
export interface MetricsSource {
  readonly agentsOnline: number;
  readonly stats: StoreStats;
  /** What the agents' port turned away, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** Correlation over hosts; null = there is none. */
  readonly detection: DetectionView | null;
  /** What the sensors of all agents counted. */
  readonly sensor: SensorView;
}

const NS_PER_SECOND = 1e9;

interface Family {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly label?: string;
  readonly values: readonly (readonly [label: string, value: number])[];
}

/**
 * A hive's figures in the Prometheus text format. A label that is known is there from the start,
 * with 0, so that a rate can be taken.
 *
 * @param source Figures.
 * @returns The text.
 */
export function metricsText(source: MetricsSource): string {
  const { agentsOnline, stats, refused, detection, sensor } = source;
  const families: readonly Family[] = [
    {
      name: "immune_agents_online",
      type: "gauge",
      help: "Agents whose last batch is recent",
      values: [["", agentsOnline]],
    },
    {
      name: "immune_threats_detected_total",
      type: "counter",
      help: "Alerts stored, by level of the rule",
      label: "type",
      values: known(Object.keys(SEVERITIES), stats.alertsBySeverity),
    },
    {
      name: "immune_syscalls_intercepted_total",
      type: "counter",
      help: "Events of the hosts' kernels that are stored",
      values: [["", stats.events]],
    },
    {
      name: "immune_events_lost_total",
      type: "counter",
      help: "Records that were made, or would have been, and are not stored, by cause",
      label: "cause",
      values: known(LOSS_CAUSE_NAMES, stats.lossesByCause),
    },
    {
      name: "immune_refused_total",
      type: "counter",
      help: "What the agents' port turned away, by reason",
      label: "reason",
      values: known([], refused),
    },
    {
      name: "immune_fleet_correlation_total",
      type: "counter",
      help: "What correlation over hosts did with alerts",
      label: "what",
      values: known(["alerts", "ahead", "raised"], correlated(detection)),
    },
  ];
  return families.map(familyText).join("") + sensorText(sensor) + scanLatencyText(stats.scans);
}

/** What became of the events that the sensors' hooks saw. */
function sensorText(sensor: SensorView): string {
  const { kinds, missed, detached, tiers } = sensor;
  const name = "immune_sensor_events_total";
  const lines = [
    `# HELP ${name} Events that the sensors' hooks saw, by kind: seen is the sum of the others`,
    `# TYPE ${name} counter`,
  ];
  for (const row of kinds) {
    for (const outcome of ["seen", ...OUTCOMES] as const) {
      lines.push(
        `${name}{kind="${escaped(row.kind)}",outcome="${snake(outcome)}"} ${row[outcome]}`,
      );
    }
  }
  return lines.join("\n") + "\n" + placesText(sensor) + familyText({
    name: "immune_sensor_runs_missed_total",
    type: "counter",
    help: "Runs of the sensors' programs that a kernel left out",
    label: "program",
    values: missed.map(({ program, count }) => [program, count]),
  }) + familyText({
    name: "immune_sensor_detached_total",
    type: "counter",
    help: "Times that a program of a sensor was found not attached",
    label: "program",
    values: detached.map(({ program, count }) => [program, count]),
  }) + tiersText(tiers);
}

/** Where records were lost, and what the sensors' tables were asked to hold. */
function placesText({ places, tables }: Pick<SensorView, "places" | "tables">): string {
  const lost = "immune_sensor_lost_total";
  const held = "immune_sensor_table_entries_total";
  const lines = [
    `# HELP ${lost} Events that the sensors lost, by kind, CPU or part of user space, and cause`,
    `# TYPE ${lost} counter`,
  ];
  for (const { kind, cpu, part, ...counts } of places) {
    const place = cpu === null ? `part="${escaped(part ?? "")}"` : `cpu="${cpu}"`;
    for (const cause of LOST_OUTCOMES) {
      const labels = `kind="${escaped(kind)}",${place},cause="${snake(cause)}"`;
      lines.push(`${lost}{${labels}} ${counts[cause]}`);
    }
  }
  lines.push(
    `# HELP ${held} Entries that the sensors' tables were asked to hold; ring_full found no room`,
    `# TYPE ${held} counter`,
  );
  for (const row of tables) {
    for (const outcome of ["seen", ...OUTCOMES] as const) {
      lines.push(
        `${held}{table="${escaped(row.table)}",outcome="${snake(outcome)}"} ${row[outcome]}`,
      );
    }
  }
  return lines.join("\n") + "\n";
}

/** What enforcement did, tier by tier. */
function tiersText(tiers: SensorView["tiers"]): string {
  const name = "immune_enforcement_acts_total";
  const lines = [
    `# HELP ${name} Acts that enforcement looked at, by tier: judged are all of them`,
    `# TYPE ${name} counter`,
  ];
  for (const row of tiers) {
    for (const outcome of TIER_COUNTS) {
      lines.push(`${name}{tier="${row.tier}",outcome="${outcome}"} ${row[outcome]}`);
    }
  }
  return lines.join("\n") + "\n" + familyText({
    name: "immune_enforcement_hosts",
    type: "gauge",
    help: "Hosts on which a tier of enforcement is in force, as they last said",
    label: "tier",
    values: tiers.map(({ tier, hosts }) => [tier, hosts]),
  });
}

/** Counters of all correlations together. */
function correlated(detection: DetectionView | null): Readonly<Record<string, number>> {
  if (detection === null) return {};
  const { alerts, ahead, raised, rules } = detection;
  const counts: Record<string, number> = { alerts, ahead, raised };
  for (const counters of Object.values(rules)) {
    for (const [name, count] of Object.entries(counters)) {
      const label = snake(name);
      counts[label] = (counts[label] ?? 0) + count;
    }
  }
  return counts;
}

function known(
  names: readonly string[],
  values: Readonly<Record<string, number>>,
): readonly (readonly [string, number])[] {
  const all = new Set([...names, ...Object.keys(values)]);
  return [...all].sort().map((name) => [name, values[name] ?? 0]);
}

function familyText({ name, type, help, label, values }: Family): string {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
  for (const [text, value] of values) {
    lines.push(
      label === undefined ? `${name} ${value}` : `${name}{${label}="${escaped(text)}"} ${value}`,
    );
  }
  return lines.join("\n") + "\n";
}

/** The durations of all agents' scans as a histogram; each class counts those below it too. */
function scanLatencyText({ timeNs, scans }: ScanTotals): string {
  const name = "immune_scan_latency_seconds";
  const lines = [
    `# HELP ${name} How long the agents' scans took, each of one batch of records`,
    `# TYPE ${name} histogram`,
  ];
  let count = 0;
  for (const [i, found] of scans.entries()) {
    count += found;
    lines.push(`${name}_bucket{le="${SCAN_SECONDS_BOUNDS[i] ?? "+Inf"}"} ${count}`);
  }
  lines.push(`${name}_sum ${timeNs / NS_PER_SECOND}`, `${name}_count ${count}`);
  return lines.join("\n") + "\n";
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
