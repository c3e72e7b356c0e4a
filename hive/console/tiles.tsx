import type { Child } from "hono/jsx";
import type { StoreStats } from "../store/store.ts";
import { exact, short, words } from "./format.ts";

/** What the four tiles show. */
export interface TilesProps {
  readonly online: number;
  readonly enrolled: number;
  /** `null` = not known. */
  readonly activePatterns: number | null;
  readonly stats: StoreStats;
  /** Unix time in milliseconds. */
  readonly nowMs: number;
}

const SPARK_WIDTH = 120;
const SPARK_HEIGHT = 28;
const MINUTE_MS = 60_000;
/** Full minutes that the line shows. */
const SPARK_MINUTES = 30;

/**
 * The four figures of the first page.
 *
 * @param props Figures.
 */
export function Tiles({ online, enrolled, activePatterns, stats, nowMs }: TilesProps): Child {
  const minutes = lastMinutes(stats, nowMs);
  const { alertsToday, events } = stats;
  return (
    <section class="tiles" aria-label="Figures">
      <Tile name="Agents online" figure={short(online)} id="agents-online">
        {enrolled === 0 ? "none enrolled yet" : `of ${exact(enrolled)} enrolled`}
      </Tile>
      <Tile name="Events a minute" figure={short(minutes.at(-1) ?? 0)} id="events-a-minute">
        {minutes.some((count) => count > 0)
          ? <Spark values={minutes} />
          : `${short(events)} stored`}
      </Tile>
      <Tile
        name="Threats today"
        figure={short(alertsToday)}
        id="threats-today"
        loud={alertsToday > 0}
      >
        {levels(stats.alertsBySeverity)}
      </Tile>
      <Tile
        name="Active patterns"
        figure={activePatterns === null ? "–" : short(activePatterns)}
        id="active-patterns"
      >
        {activePatterns === null ? "no agent has said" : "rules in force"}
      </Tile>
    </section>
  );
}

interface TileProps {
  readonly name: string;
  readonly figure: string;
  readonly id: string;
  readonly loud?: boolean;
  readonly children?: Child;
}

function Tile({ name, figure, id, loud = false, children }: TileProps): Child {
  return (
    <div class={loud ? "card tile loud" : "card tile"} id={id}>
      <h2>{name}</h2>
      <p class="figure">{figure}</p>
      <p class="note">{children}</p>
    </div>
  );
}

/** Events of the last full minutes, oldest first; the store leaves quiet minutes out. */
function lastMinutes({ eventsByMinute }: StoreStats, nowMs: number): readonly number[] {
  const byMinute = new Map(eventsByMinute.map(({ minuteMs, events }) => [minuteMs, events]));
  const end = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
  return Array.from(
    { length: SPARK_MINUTES },
    (_, i) => byMinute.get(end - (SPARK_MINUTES - i) * MINUTE_MS) ?? 0,
  );
}

function levels(bySeverity: Readonly<Record<string, number>>): string {
  const parts = ["critical", "high"]
    .map((level) => [level, bySeverity[level] ?? 0] as const)
    .filter(([, count]) => count > 0)
    .map(([level, count]) => `${short(count)} ${words(level)}`);
  const all = Object.values(bySeverity).reduce((sum, count) => sum + count, 0);
  return parts.length === 0 ? `${exact(all)} since the start` : `ever: ${parts.join(", ")}`;
}

function Spark({ values }: { readonly values: readonly number[] }): Child {
  const top = Math.max(1, ...values);
  const step = SPARK_WIDTH / Math.max(1, values.length - 1);
  const points = values
    .map((value, i) => {
      const y = SPARK_HEIGHT - 2 - (value / top) * (SPARK_HEIGHT - 4);
      return `${(i * step).toFixed(1)},${y.toFixed(1)}`;
    })
    .join(" ");
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`Events a minute, last ${values.length} minutes, at most ${exact(top)}`}
    >
      <polyline points={points} />
    </svg>
  );
}
