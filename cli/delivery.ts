import { type Identity, readIdentity } from "../agent/enrol/identity.ts";
import { AgentLink } from "../agent/link/agent_link.ts";
import { ImmuneError, statePaths } from "../common/config/mod.ts";
import { writeLinkState } from "./link_state.ts";

/** Bytes in which the journal publishes its last position on the disk. */
export const DURABLE_BYTES = 8;

/** What a delivery connects. */
export interface DeliveryOptions {
  /** State folder of an enrolled agent. */
  readonly state: string;
  /** Where the journal publishes what is on the disk. */
  readonly durable: SharedArrayBuffer;
  /** Everything up to `position` is durable at the hive. */
  readonly onAcknowledged: (position: number) => void;
  readonly onWarning: (message: string) => void;
  /** HTTP proxy to the hive. Default: none. */
  readonly proxy?: string;
}

/**
 * Delivers an open journal to the hive. When the hive takes nothing more (the agent was
 * revoked), that is said once; detection and journal go on.
 *
 * @param options Journal, acknowledgements and warnings.
 * @returns The link; stop it after what writes the journal.
 */
export function startDelivery(options: DeliveryOptions): AgentLink {
  const { state, durable, onAcknowledged, onWarning, proxy } = options;
  const { agent } = statePaths(state);
  let told = "";
  const link = new AgentLink({ state, durable, ...(proxy === undefined ? {} : { proxy }) }, {
    onStatus: (status) => {
      // Said when it changes; a status comes with every batch.
      const line = `link ${status.state}${status.reason === undefined ? "" : `: ${status.reason}`}`;
      if (line === told) return;
      told = line;
      onWarning(line);
      writeLinkState(agent, status);
    },
    onAcknowledged,
    onWarning,
  });
  link.finished.then(
    () => writeLinkState(agent, { state: "DISCONNECTED", reason: "The agent is stopped" }),
    (error: Error) => {
      onWarning(error.message);
      writeLinkState(agent, { state: "ERROR", reason: error.message });
    },
  );
  return link;
}

/**
 * Who this host is for its hive.
 *
 * @param folder State folder.
 * @throws {ImmuneError} `ENROLL_REFUSED` when it is not enrolled.
 */
export function enrolledIdentity(folder: string): Identity {
  const identity = readIdentity(statePaths(folder).agent);
  if (identity !== undefined) return identity;
  throw new ImmuneError(
    "ENROLL_REFUSED",
    `Cannot deliver: the host of state folder "${folder}" is not enrolled; ` +
      `run "immune enroll --token-file FILE" first`,
  );
}
