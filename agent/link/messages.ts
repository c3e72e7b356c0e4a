import type { LinkCounters, LinkStatus } from "../../common/link/link.ts";

/** Name of the worker that delivers the journal to the hive. */
export const LINK_WORKER = "immune-link";

/** What the link is to do. */
export interface LinkOptions {
  /** State folder of an agent that is enrolled and whose journal is open in another Worker. */
  readonly state: string;
  /** Where the journal publishes the last position on the disk: 8 bytes. */
  readonly durable: SharedArrayBuffer;
  /** Milliseconds without anything to send until the hive is asked again. Default 30 s. */
  readonly probeMs?: number;
  /** HTTP proxy to the hive. Default: none. */
  readonly proxy?: string;
  /** Module that the Worker runs. Default: the program's own entry, which looks at its name. */
  readonly entry?: string;
}

/** From the owner to the link. */
export type LinkCommand =
  | { readonly type: "start"; readonly options: LinkOptions }
  | { readonly type: "stop" };

/** From the link to its owner. */
export type LinkReport =
  | { readonly type: "listening" }
  | { readonly type: "status"; readonly status: LinkStatus; readonly counters: LinkCounters }
  | { readonly type: "acknowledged"; readonly position: number }
  | { readonly type: "warning"; readonly message: string }
  | { readonly type: "stopped"; readonly counters: LinkCounters }
  | { readonly type: "failed"; readonly code: string; readonly message: string };
