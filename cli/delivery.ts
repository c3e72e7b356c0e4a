import { LinkWorker } from "../agent/link/owner.ts";
import type { PipelineWorker } from "../agent/pipeline/owner.ts";

/** Bytes in which the journal publishes its last position on the disk. */
export const DURABLE_BYTES = 8;

/** What a delivery connects. */
export interface DeliveryOptions {
  /** State folder of an enrolled agent. */
  readonly state: string;
  /** Where the journal publishes what is on the disk. */
  readonly durable: SharedArrayBuffer;
  readonly pipeline: PipelineWorker;
  readonly onWarning: (message: string) => void;
}

/**
 * Delivers a pipeline's journal to the hive. When the hive takes nothing more (the agent was
 * revoked), that is said once; detection and journal go on.
 *
 * @param options Journal, pipeline and warnings.
 * @returns The link; stop it after the pipeline.
 */
export function startDelivery(options: DeliveryOptions): LinkWorker {
  const { state, durable, pipeline, onWarning } = options;
  let told = "";
  const link = new LinkWorker({ state, durable }, {
    onStatus: (status) => {
      // Said when it changes; a status comes with every batch.
      const line = `link ${status.state}${status.reason === undefined ? "" : `: ${status.reason}`}`;
      if (line !== told) onWarning(line);
      told = line;
    },
    onAcknowledged: (position) => pipeline.acknowledged(position),
    onWarning,
  });
  link.finished.catch((error: Error) => onWarning(error.message));
  return link;
}
