/** Paths in a state folder. */
export interface StatePaths {
  /** The state folder. */
  readonly folder: string;
  /** What belongs to the agent, mode 0700. */
  readonly agent: string;
  readonly journal: string;
  readonly epoch: string;
  /** Windows of correlations. */
  readonly correlation: string;
  /** What `first_seen` remembers. */
  readonly sightings: string;
  /** How far the logs of the host were read. */
  readonly logs: string;
  /** What the sensor has counted since it was opened. */
  readonly sensor: string;
  /** Says that the agent lives. */
  readonly run: string;
  readonly hostId: string;
  /** Folder of indicators, with a lock of its own. */
  readonly indicators: string;
  readonly lock: string;
}

/**
 * Where things are in a state folder.
 *
 * @param folder The state folder.
 * @returns Paths.
 */
export function statePaths(folder: string): StatePaths {
  const agent = `${folder}/agent`;
  return {
    folder,
    agent,
    journal: `${agent}/journal`,
    epoch: `${agent}/epoch`,
    correlation: `${agent}/correlation`,
    sightings: `${agent}/sightings`,
    logs: `${agent}/logs.json`,
    sensor: `${agent}/sensor.json`,
    run: `${agent}/run.json`,
    hostId: `${agent}/host_id`,
    indicators: `${agent}/indicators`,
    lock: `${agent}/lock`,
  };
}
