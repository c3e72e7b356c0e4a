import type { DetectCounters } from "../detect/messages.ts";
import type { ApiContext } from "./context.ts";

/** What correlation over hosts did and holds, as the API tells it. */
export interface DetectionView {
  readonly alerts: number;
  readonly ahead: number;
  readonly raised: number;
  readonly correlations: number;
  readonly groups: number;
  readonly bytes: number;
  readonly matchesDropped: number;
  /** Counters of each correlation by its id. */
  readonly rules: Readonly<Record<string, Record<string, number>>>;
}

/**
 * What correlation over hosts did and holds.
 *
 * @param api The hive.
 * @returns It, or null for a hive that does none.
 */
export async function detectionView(
  { detection }: Pick<ApiContext, "detection">,
): Promise<DetectionView | null> {
  return detection === undefined ? null : viewOf(await detection());
}

function viewOf({ state, position: _, ...counters }: DetectCounters): DetectionView {
  const { groups, bytes, matchesDropped, rules } = state;
  return {
    ...counters,
    groups,
    bytes,
    matchesDropped,
    rules: Object.fromEntries([...rules].map(([id, each]) => [id, { ...each }])),
  };
}
