import type { Context, Hono } from "hono";
import type { Clock } from "../../common/config/clock.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { FRAMES_TYPE, ROUTES } from "../../common/link/protocol.ts";
import type { DirectiveStream, ResultReport } from "../../common/wire/mod.ts";
import { reportSchema } from "../command/schemas.ts";
import type { Store } from "../store/store.ts";
import { errorAnswer } from "./answer.ts";
import { readBody } from "./body.ts";
import { CANARY_ASKERS_MAX, CANARY_INTERVAL_MIN_MS, REPORT_BYTES_MAX } from "./bounds.ts";
import { fromStore } from "./deadline.ts";
import type { Downlinks } from "./downlinks.ts";
import { bindingsOf, type IntakeEnv } from "./identity.ts";
import type { Refusals } from "./refusals.ts";

/** Where orders come from. */
export interface OrderSource {
  /** A canary that answers a nonce, signed. */
  canary(nonce: string): Promise<Uint8Array<ArrayBuffer>>;
  /** A pack of rules by its hash; `undefined` = there is none. */
  pack(hash: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** A set of antibodies by its hash; `undefined` = there is none. */
  antibodies(hash: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/** What the routes work with. */
export interface OrderRoutesOptions {
  readonly store: Pick<Store, "addReport">;
  readonly downlinks: Downlinks;
  readonly orders: OrderSource;
  readonly refusals: Refusals;
  readonly clock: Clock;
}

/**
 * Adds what agents ask about orders: the downlink, canaries, packs of rules, sets of antibodies,
 * and what became of it.
 *
 * @param app The agents' app, which has found out who they are.
 * @param options Where orders come from and where answers go.
 */
export function addOrderRoutes(app: Hono<IntakeEnv>, options: OrderRoutesOptions): void {
  const { downlinks, orders, refusals } = options;
  const canaries = new CanaryPace(options.clock);
  app.get(ROUTES.downlink, async (c) => {
    const after = cursorOf(c);
    if (after === undefined) {
      return refuse(c, { refusals, error: malformed("its numbers are none") });
    }
    const { agentId, hostId, certificate } = c.var.client;
    const frames = await downlinks.open({ agentId, hostId, certificate, after });
    return new Response(frames, { headers: { "Content-Type": FRAMES_TYPE } });
  });
  app.get(ROUTES.canary, async (c) => {
    const nonce = c.req.query("nonce") ?? "";
    if (!/^[0-9a-f]{32}$/.test(nonce)) {
      return refuse(c, { refusals, error: malformed("it has no nonce") });
    }
    if (!canaries.take(c.var.client.agentId)) {
      const error = new ImmuneError("RATE_LIMITED", "Cannot sign so many canaries");
      return refuse(c, { refusals, error });
    }
    return bytesAnswer(await orders.canary(nonce));
  });
  for (
    const [route, what, get] of [
      [ROUTES.packs, "pack of rules", (hash: string) => orders.pack(hash)],
      [ROUTES.antibodies, "set of antibodies", (hash: string) => orders.antibodies(hash)],
    ] as const
  ) {
    app.get(`${route}/:hash{[0-9a-f]+}`, async (c) => {
      const bytes = await get(c.req.param("hash"));
      if (bytes !== undefined) return bytesAnswer(bytes);
      const error = new ImmuneError("NOT_FOUND", `Cannot find this ${what}`);
      return refuse(c, { refusals, error });
    });
  }
  app.post(ROUTES.results, (c) => takeReport(c, options));
}

async function takeReport(c: Context<IntakeEnv>, options: OrderRoutesOptions): Promise<Response> {
  const { store, clock } = options;
  const announced = Number(c.req.header("Content-Length") ?? NaN);
  let report: ResultReport;
  try {
    const bytes = await readBody(bindingsOf(c).body ?? c.req.raw.body ?? new Blob().stream(), {
      bytesMax: REPORT_BYTES_MAX,
      announced: Number.isSafeInteger(announced) ? announced : undefined,
      drainBytesMax: REPORT_BYTES_MAX,
      tooLarge: "INPUT_MALFORMED",
    });
    report = reportSchema.parse(JSON.parse(new TextDecoder().decode(bytes))) as ResultReport;
  } catch (cause) {
    const error = cause instanceof ImmuneError ? cause : malformed("it is no report");
    return refuse(c, { refusals: options.refusals, error });
  }
  await fromStore(store.addReport(c.var.client.agentId, report), clock);
  return Response.json({ sequence: report.results.at(-1)?.sequence ?? 0 });
}

/** The numbers that an agent has, or `undefined` when the query holds something else. */
function cursorOf(c: Context<IntakeEnv>): Record<DirectiveStream, number> | undefined {
  const [directive, canary, stop] = ["directive", "canary", "stop"].map((stream) => {
    const text = c.req.query(stream) ?? "0";
    return /^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : NaN;
  }) as [number, number, number];
  return [directive, canary, stop].some(Number.isNaN) ? undefined : { directive, canary, stop };
}

/** A canary costs a signature: an agent gets one a second. */
class CanaryPace {
  readonly #clock: Clock;
  readonly #lastMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(agentId: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const lastMs = this.#lastMs.get(agentId);
    if (lastMs !== undefined && nowMs - lastMs < CANARY_INTERVAL_MIN_MS) return false;
    this.#lastMs.delete(agentId);
    this.#lastMs.set(agentId, nowMs);
    const oldest = this.#lastMs.keys().next().value;
    if (this.#lastMs.size > CANARY_ASKERS_MAX && oldest !== undefined) this.#lastMs.delete(oldest);
    return true;
  }
}

function bytesAnswer(bytes: Uint8Array<ArrayBuffer>): Response {
  const headers = { "Content-Type": "application/octet-stream", "Cache-Control": "no-store" };
  return new Response(bytes, { headers });
}

function refuse(
  c: Context<IntakeEnv>,
  { refusals, error }: { readonly refusals: Refusals; readonly error: ImmuneError },
): Response {
  const reason = error.code === "RATE_LIMITED" ? "queue_full" : "request";
  refusals.add(reason, `agent ${c.var.client.agentId} (${error.message})`);
  return errorAnswer(error);
}

function malformed(why: string): ImmuneError {
  return new ImmuneError("INPUT_MALFORMED", `Cannot take this request: ${why}`);
}
