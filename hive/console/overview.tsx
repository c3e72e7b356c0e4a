import type { Child } from "hono/jsx";
import { activePatterns, type AgentView, agentViews } from "../api/agents.ts";
import type { ApiContext } from "../api/context.ts";
import type { AlertPage, StoreStats } from "../store/store.ts";
import { AgentList } from "./agent_list.tsx";
import { AlertList } from "./alert_list.tsx";
import { Tiles } from "./tiles.tsx";

/** Alerts on the first page. */
export const OVERVIEW_ALERTS_MAX = 50;
/** How often the first page asks for news, in seconds. */
export const OVERVIEW_EVERY_S = 2;
/** Path of the part of the first page that is live. */
export const OVERVIEW_PATH = "/overview";

/** What the first page shows. */
export interface OverviewProps {
  readonly agents: readonly AgentView[];
  readonly stats: StoreStats;
  readonly page: AlertPage;
  readonly activePatterns: number | null;
  readonly nowMs: number;
}

/**
 * Collects what the first page shows.
 *
 * @param api Where it comes from.
 */
export async function overview(api: ApiContext): Promise<OverviewProps> {
  const nowMs = api.clock.nowMs();
  const [agents, stats, page] = await Promise.all([
    agentViews(api.store, nowMs),
    api.store.stats(),
    api.store.alerts({ limit: OVERVIEW_ALERTS_MAX }),
  ]);
  return { agents, stats, page, activePatterns: activePatterns(agents), nowMs };
}

/**
 * The live part of the first page.
 *
 * @param props What it shows.
 */
export function Overview({ agents, stats, page, activePatterns, nowMs }: OverviewProps): Child {
  const today = stats.alertsToday;
  return (
    <>
      <p class="hidden" role="status">
        {today === 1 ? "1 threat today" : `${today} threats today`}
      </p>
      <Tiles
        online={agents.filter(({ online }) => online).length}
        enrolled={agents.filter(({ revoked }) => !revoked).length}
        activePatterns={activePatterns}
        stats={stats}
        nowMs={nowMs}
      />
      <div class="columns">
        <AlertList alerts={page.alerts} hasMore={page.next !== null} nowMs={nowMs} />
        <AgentList agents={agents} nowMs={nowMs} />
      </div>
    </>
  );
}

/**
 * The content of the first page: its live part, and what keeps it live.
 *
 * @param props What it shows.
 */
export function LiveOverview(props: OverviewProps): Child {
  return (
    <>
      <h1 class="hidden">Overview</h1>
      <div
        id="live"
        hx-get={OVERVIEW_PATH}
        hx-trigger={`every ${OVERVIEW_EVERY_S}s`}
        hx-swap="innerMorph"
        hx-sync="this:drop"
      >
        <Overview {...props} />
      </div>
    </>
  );
}
