/** What a correlation did with its hits, since the correlator was made. */
export interface CorrelationCounters {
  /** Matches. */
  matched: number;
  /** Hits that met the condition within the time span of the group's last match: no match. */
  repeated: number;
  /** Hits that lack a field of `group-by`. */
  ungrouped: number;
  /** Hits that lack the field that is looked at, or whose value is no number where one is needed. */
  valueless: number;
  /** Hits of which nobody knows how long ago they were: they are in no window. */
  untimed: number;
  /** Hits that came too late for their group. */
  late: number;
  /** Hits that were let go because their group had too many. */
  hitsDropped: number;
  /** Groups that were let go because the correlation had too many. */
  evictedGroups: number;
  /** Groups that were let go because all state together had too many bytes. */
  evictedBytes: number;
}

/** Counters of a correlation that did nothing. */
export function noCounters(): CorrelationCounters {
  return {
    matched: 0,
    repeated: 0,
    ungrouped: 0,
    valueless: 0,
    untimed: 0,
    late: 0,
    hitsDropped: 0,
    evictedGroups: 0,
    evictedBytes: 0,
  };
}
