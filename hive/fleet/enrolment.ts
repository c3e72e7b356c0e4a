import { Hono } from "hono";
import { type Clock, ImmuneError, SYSTEM_CLOCK } from "../../common/config/mod.ts";
import {
  ENROLL_BYTES_MAX,
  type EnrollRequest,
  enrollRequestSchema,
  type EnrollResponse,
  type OrderTrust,
  ROUTES,
} from "../../common/link/protocol.ts";
import { errorAnswer } from "../intake/answer.ts";
import { readBody } from "../intake/body.ts";
import type { Store } from "../store/store.ts";
import type { Authority } from "../trust/authority.ts";
import { secretHash } from "./token.ts";

/** Enrolments under way at a time; more are told to come again. */
export const ENROLMENTS_AT_ONCE_MAX = 16;
/** How long the body of a request may take to arrive, in milliseconds. */
export const ENROL_BODY_TIMEOUT_MS = 10_000;

/** Why an enrolment is refused: labels of a counter. */
export const ENROLMENT_REFUSALS = ["malformed", "token", "request", "busy", "failed"] as const;
/** Name of a reason. */
export type EnrolmentRefusal = (typeof ENROLMENT_REFUSALS)[number];

/** An enrolment that was given. */
export interface Enrolled {
  readonly agentId: string;
  readonly hostId: string;
  readonly hostName: string;
  /** SHA-256 of its certificate, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
}

/** Options of {@linkcode createEnrolment}. */
export interface EnrolmentOptions {
  readonly store: Pick<Store, "useToken" | "addAgent">;
  readonly authority: Pick<Authority, "sign">;
  /** Whose orders agents are to take. Default: nobody's. */
  readonly orders?: () => Promise<OrderTrust>;
  /** Told of each agent. Default: nobody. */
  readonly onEnrolled?: (enrolled: Enrolled) => void;
  /** Told why somebody was turned away, one line for the log. Default: nobody. */
  readonly onRefused?: (reason: EnrolmentRefusal, line: string) => void;
  /** How long a body may take, in milliseconds. Default 10,000. */
  readonly bodyTimeoutMs?: number;
  /** Default: the host's. */
  readonly clock?: Clock;
}

/** The enrolment listener's app, with what it counts. */
export interface EnrolmentApp {
  readonly app: Hono;
  /** What was turned away, by reason. */
  refused(): Readonly<Record<EnrolmentRefusal, number>>;
}

/** The one answer to a token that is unknown, used or expired: it does not say which. */
const TOKEN_MESSAGE = "Cannot enrol: the token is not valid; ask for a new one";

/**
 * Makes the app of the enrolment listener: `POST /v1/enroll` and `GET /health`.
 *
 * @param options Store, authority and log.
 * @returns The app and its counters.
 */
export function createEnrolment(options: EnrolmentOptions): EnrolmentApp {
  const enrolment = new Enrolment(options);
  const app = new Hono();
  app.get(ROUTES.health, () => Response.json({ status: "ok" }));
  app.post(ROUTES.enroll, (c) => enrolment.serve(c.req.raw));
  app.notFound((c) =>
    errorAnswer(new ImmuneError("NOT_FOUND", `Cannot find ${c.req.method} on this path`))
  );
  return { app, refused: () => enrolment.refused() };
}

class Enrolment {
  readonly #options: EnrolmentOptions;
  readonly #clock: Clock;
  readonly #refused = new Map<EnrolmentRefusal, number>();
  #underWay = 0;

  constructor(options: EnrolmentOptions) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
  }

  refused(): Readonly<Record<EnrolmentRefusal, number>> {
    return Object.fromEntries(
      ENROLMENT_REFUSALS.map((reason) => [reason, this.#refused.get(reason) ?? 0]),
    ) as Record<EnrolmentRefusal, number>;
  }

  async serve(request: Request): Promise<Response> {
    if (this.#underWay >= ENROLMENTS_AT_ONCE_MAX) {
      return this.#refuse(
        "busy",
        new ImmuneError("RATE_LIMITED", "Cannot enrol more agents at once; try again"),
      );
    }
    this.#underWay++;
    try {
      return Response.json(await this.#enroll(await this.#read(request)));
    } catch (error) {
      return this.#failure(error);
    } finally {
      this.#underWay--;
    }
  }

  async #read(request: Request): Promise<EnrollRequest> {
    const bodyTimeoutMs = this.#options.bodyTimeoutMs ?? ENROL_BODY_TIMEOUT_MS;
    const late = Promise.withResolvers<never>();
    const timer = this.#clock.setTimer(
      () => late.reject(malformed("it took too long to arrive")),
      bodyTimeoutMs,
    );
    try {
      const body = readBody(request.body ?? new Blob().stream(), {
        bytesMax: ENROLL_BYTES_MAX,
        tooLarge: "INPUT_MALFORMED",
      });
      // A body that comes late, or breaks off, was answered or has nobody to answer.
      body.catch(() => {});
      const text = new TextDecoder().decode(await Promise.race([body, late.promise]));
      const checked = enrollRequestSchema.safeParse(parsed(text));
      if (!checked.success) throw malformed(checked.error.issues[0]?.message ?? "it does not hold");
      return checked.data;
    } finally {
      timer.cancel();
    }
  }

  async #enroll({ secret, request, hostId, hostName }: EnrollRequest): Promise<EnrollResponse> {
    const { store, authority, onEnrolled } = this.#options;
    const agentId = crypto.randomUUID();
    // Signed first, so that a request that is none does not use the token up.
    const { pem, fingerprint } = await authority.sign(request, { agentId });
    if (!await store.useToken(secretHash(secret), this.#clock.nowMs())) {
      throw new ImmuneError("TOKEN_INVALID", TOKEN_MESSAGE);
    }
    await store.addAgent({ id: agentId, hostId, hostName }, fingerprint);
    onEnrolled?.({ agentId, hostId, hostName, fingerprint });
    const orders = await this.#options.orders?.();
    return { agentId, certificate: pem, ...(orders === undefined ? {} : { orders }) };
  }

  #failure(error: unknown): Response {
    if (!(error instanceof ImmuneError)) {
      const why = error instanceof Error ? error.message : String(error);
      return this.#refuse("malformed", malformed(why));
    }
    if (error.code === "TOKEN_INVALID") return this.#refuse("token", error);
    if (error.code === "ENROLL_REFUSED") return this.#refuse("request", error);
    if (error.code === "INPUT_MALFORMED") return this.#refuse("malformed", error);
    const outward = new ImmuneError("STORE_FAILED", "The hive's store does not take agents now");
    return this.#refuse("failed", outward, { status: 503, inward: error.message });
  }

  #refuse(
    reason: EnrolmentRefusal,
    error: ImmuneError,
    options: { readonly status?: number; readonly inward?: string } = {},
  ): Response {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
    this.#options.onRefused?.(reason, `Refused an enrolment: ${options.inward ?? error.message}`);
    return errorAnswer(error, options.status === undefined ? {} : { status: options.status });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed("it is no JSON");
  }
}

function malformed(why: string): ImmuneError {
  return new ImmuneError("INPUT_MALFORMED", `Cannot read enrolment request: ${why}`);
}
