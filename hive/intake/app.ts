import { type Context, Hono } from "hono";
import { type Clock, SYSTEM_CLOCK } from "../../common/config/clock.ts";
import { type ErrorCode, ImmuneError } from "../../common/config/errors.ts";
import { RENEW_BYTES_MAX, ROUTES } from "../../common/link/protocol.ts";
import { BATCH_BYTES_MAX } from "../../common/wire/batch.ts";
import { type Batch, decodeBatch } from "../../common/wire/decode.ts";
import type { Store, Stored } from "../store/store.ts";
import type { HerdSaid } from "../herd/word_trail.ts";
import { errorAnswer } from "./answer.ts";
import { readBody } from "./body.ts";
import { DRAIN_BYTES_MAX } from "./bounds.ts";
import { fromStore } from "./deadline.ts";
import { Downlinks } from "./downlinks.ts";
import { Gate } from "./gate.ts";
import { addHerdRoute } from "./herd_route.ts";
import { bindingsOf, type CertificateSource, identify, type IntakeEnv } from "./identity.ts";
import { addOrderRoutes, type OrderSource } from "./order_routes.ts";
import { type Refusal, Refusals } from "./refusals.ts";
import { readRenewal, type Renew } from "./renewal.ts";
import type { IntakeTrust } from "./trust.ts";

/** What the agents' port took. */
export interface IntakeTotals {
  /** Batches that were acknowledged, repeated ones included. */
  readonly batches: number;
  /** Of them, those of which nothing was new. */
  readonly repeated: number;
  /** Records that were new. */
  readonly records: number;
  /** Bytes of acknowledged batches. */
  readonly bytes: number;
}

/** What the agents' port asks of the store. */
export type IntakeStore = Pick<
  Store,
  | "certificate"
  | "confirmCertificate"
  | "append"
  | "directivesFor"
  | "refusedCertificates"
  | "addReport"
  | "herd"
>;

/** Options of {@linkcode createIntake}. */
export interface IntakeAppOptions {
  readonly store: IntakeStore;
  /** What agents are to pin, as it is now. Default: nothing is told. */
  readonly pins?: () => Pick<IntakeTrust, "pins" | "pinSet">;
  /** Signs agents' next certificates. Default: none is signed. */
  readonly renew?: Renew;
  /** Where a client's certificate comes from. */
  readonly source: CertificateSource;
  /** Default: counted and not said. */
  readonly refusals?: Refusals;
  /** Default: one with the bounds of this version. */
  readonly gate?: Gate;
  /** Where orders come from. Absent: this port gives none. */
  readonly orders?: OrderSource | undefined;
  /** Told of each word for the herd that was heard. Default: nobody. */
  readonly onSaid?: ((said: HerdSaid) => void) | undefined;
  /** Default: the host's. */
  readonly clock?: Clock;
}

/** The agents' Hono app, with what it counts. */
export interface IntakeApp {
  readonly app: Hono<IntakeEnv>;
  readonly refusals: Refusals;
  readonly downlinks: Downlinks;
  totals(): IntakeTotals;
}

/**
 * Makes the app that agents talk to, `POST /v1/batches`, `POST /v1/herd`, `POST /v1/renew` and
 * `GET /v1/pins`: nothing without a known certificate.
 *
 * @param options Store, identity and bounds.
 * @returns The app and its counters.
 */
export function createIntake(options: IntakeAppOptions): IntakeApp {
  const { store, source, clock = SYSTEM_CLOCK } = options;
  const refusals = options.refusals ?? new Refusals();
  const gate = options.gate ?? new Gate();
  const pins = options.pins ?? ((): ReturnType<PinsNow> => ({ pins: [], pinSet: undefined }));
  const delivery = new Delivery({ store, refusals, clock, gate, pins });
  const app = new Hono<IntakeEnv>();
  app.use(identify({ source, store, refusals, clock }));
  app.post(ROUTES.batches, (c) => delivery.take(c));
  const downlinks = new Downlinks({
    store,
    clock,
    onLine: (line) => refusals.tell(line),
  });
  const { orders } = options;
  if (orders !== undefined) addOrderRoutes(app, { store, downlinks, orders, refusals, clock });
  app.get(ROUTES.pins, () => Response.json({ pins: pins().pins }));
  app.post(ROUTES.renew, async (c) => {
    using place = gate.enter(c.var.client.agentId, RENEW_BYTES_MAX);
    if (place === undefined || options.renew === undefined) {
      throw new ImmuneError("RATE_LIMITED", "Cannot sign more certificates now; ask again");
    }
    const { certificate } = await options.renew(await readRenewal(c));
    return Response.json({ certificate, pins: pins().pins });
  });
  const { onSaid } = options;
  addHerdRoute(app, { store, refusals, clock, ...(onSaid === undefined ? {} : { onSaid }) });
  app.notFound((c) => {
    refusals.add("request", `agent ${c.var.client.agentId}`);
    return errorAnswer(new ImmuneError("NOT_FOUND", `Cannot find ${c.req.method} on this path`));
  });
  app.onError((error, c) => failure(error, { refusals, from: bindingsOf(c).from ?? "a client" }));
  return { app, refusals, downlinks, totals: () => delivery.totals() };
}

/** What the store finds wrong with the batch or its sender: that is for the agent to know. */
const BY_CODE: ReadonlyMap<ErrorCode, Refusal> = new Map([
  ["BATCH_MALFORMED", "malformed"],
  ["RECORD_MALFORMED", "malformed"],
  ["BATCH_TOO_LARGE", "too_large"],
  ["AGENT_MISMATCH", "mismatch"],
  ["CERTIFICATE_REFUSED", "revoked"],
  ["RATE_LIMITED", "queue_full"],
  ["INPUT_MALFORMED", "malformed"],
  ["ENROLL_REFUSED", "malformed"],
]);

type PinsNow = () => { readonly pins: readonly string[]; readonly pinSet: string | undefined };

/** What was thrown, as the answer that lets an agent try again. */
function failure(
  error: unknown,
  { refusals, from }: { readonly refusals: Refusals; readonly from: string },
): Response {
  const why = `${from} (${error instanceof Error ? error.message : String(error)})`;
  if (!(error instanceof ImmuneError)) {
    refusals.add("request", why);
    return errorAnswer(new ImmuneError("INTERNAL", "The hive failed on this request"));
  }
  const reason = BY_CODE.get(error.code);
  if (reason !== undefined) {
    refusals.add(reason, why);
    return errorAnswer(error);
  }
  refusals.add("store", why);
  // A full disk says so (507); whatever else fails there may go well a moment later.
  const message = "The hive's store does not take data now; send it again";
  return errorAnswer(new ImmuneError("STORE_FAILED", message), {
    status: error.status === 507 ? 507 : 503,
  });
}

interface DeliveryOptions {
  readonly store: Pick<Store, "append">;
  readonly refusals: Refusals;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly pins: PinsNow;
}

/** Takes batches of clients that are known. */
class Delivery {
  readonly #options: DeliveryOptions;
  #batches = 0;
  #repeated = 0;
  #records = 0;
  #bytes = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  totals(): IntakeTotals {
    return {
      batches: this.#batches,
      repeated: this.#repeated,
      records: this.#records,
      bytes: this.#bytes,
    };
  }

  async take(c: Context<IntakeEnv>): Promise<Response> {
    const { agentId } = c.var.client;
    const announced = announcedBytes(c);
    // What is too large anyway needs no place: it is read past and thrown away.
    const wanted = Math.min(announced ?? BATCH_BYTES_MAX, BATCH_BYTES_MAX);
    using place = this.#options.gate.enter(agentId, wanted);
    if (place === undefined) {
      const error = new ImmuneError("RATE_LIMITED", "Cannot take more batches now; send it again");
      return this.#refuse(c, "queue_full", { error });
    }
    const read = await readBatch(c, announced);
    if (read instanceof ImmuneError) {
      const reason = read.code === "BATCH_TOO_LARGE" ? "too_large" : "malformed";
      return this.#refuse(c, reason, { error: read });
    }
    const { bytes, batch: { info } } = read;
    if (info.hostId !== c.var.client.hostId) {
      const error = new ImmuneError("AGENT_MISMATCH", "Cannot take a batch of another host");
      return this.#refuse(c, "mismatch", { error });
    }
    const size = bytes.length;
    const { store, clock } = this.#options;
    const stored = await fromStore(store.append({ agentId, bytes }), clock);
    if (stored.outcome === "gap") {
      const message = `Cannot take positions from ${info.first}: ${stored.expected} is next, and ` +
        "the batch names no loss between";
      const error = new ImmuneError("BATCH_GAP", message);
      return this.#refuse(c, "gap", { error, expected: stored.expected });
    }
    this.#count(stored, size);
    // Left out where it is not known, as JSON does.
    const { pinSet } = this.#options.pins();
    return Response.json({ journalId: info.journalId, position: stored.position, pins: pinSet });
  }

  #refuse(
    c: Context<IntakeEnv>,
    reason: Refusal,
    { error, expected }: { readonly error: ImmuneError; readonly expected?: number },
  ): Response {
    const who = `agent ${c.var.client.agentId} at ${bindingsOf(c).from ?? "an unknown address"}`;
    this.#options.refusals.add(reason, `${who} (${error.message})`);
    return errorAnswer(error, expected === undefined ? {} : { expected });
  }

  #count(stored: Extract<Stored, { outcome: "stored" }>, bytes: number): void {
    this.#batches++;
    if (stored.stored === 0) this.#repeated++;
    this.#records += stored.stored;
    this.#bytes += bytes;
  }
}

/** A batch with the bytes that it was read from. */
interface ReadBatch {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly batch: Batch;
}

/** The request's batch, or why it is none. */
async function readBatch(
  c: Context<IntakeEnv>,
  announced: number | undefined,
): Promise<ReadBatch | ImmuneError> {
  const chunks = bindingsOf(c).body ?? c.req.raw.body ?? new Blob().stream();
  try {
    const bytes = await readBody(chunks, {
      bytesMax: BATCH_BYTES_MAX,
      announced,
      drainBytesMax: DRAIN_BYTES_MAX,
    });
    return { bytes, batch: decodeBatch(bytes) };
  } catch (error) {
    if (error instanceof ImmuneError) return error;
    throw error;
  }
}

function announcedBytes(c: Context<IntakeEnv>): number | undefined {
  const header = c.req.header("Content-Length");
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}
