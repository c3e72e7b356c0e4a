import { Hono } from "hono";
import type { z } from "zod";
import { type Clock, type ErrorCode, ImmuneError, SYSTEM_CLOCK } from "../../common/config/mod.ts";
import {
  challengeRequestSchema,
  ENROLL_BYTES_MAX,
  type EnrollRequest,
  enrollRequestSchema,
  type EnrollResponse,
  type OrderTrust,
  ROUTES,
  ticketSchema,
} from "../../common/link/protocol.ts";
import { errorAnswer } from "../intake/answer.ts";
import { readBody } from "../intake/body.ts";
import { hashSecret } from "../operators/secret.ts";
import type { Store } from "../store/store.ts";
import type { Authority } from "../trust/authority.ts";
import { requestedKeyHash } from "../trust/requested_key.ts";
import { Challenges } from "./challenges.ts";
import { PENDING_RETRY_S, type PendingEnrolments } from "./pending.ts";

/** Enrolments under way at a time; more are told to come again. */
export const ENROLMENTS_AT_ONCE_MAX = 16;
/** How long the body of a request may take to arrive, in milliseconds. */
export const ENROL_BODY_TIMEOUT_MS = 10_000;

/** Why an enrolment is refused: labels of a counter. */
export const ENROLMENT_REFUSALS = [
  "malformed",
  "challenge",
  "token",
  "request",
  "ticket",
  "busy",
  "failed",
] as const;
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
  readonly authority: Pick<Authority, "sign" | "fleetId">;
  /** Where enrolments wait whose token asks for an operator. Default: such tokens are refused. */
  readonly pending?: Pick<PendingEnrolments, "add" | "answer">;
  /** Default: of their own, with the least work of this version. */
  readonly challenges?: Challenges;
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
 * Makes the app of the enrolment listener: `POST /v1/challenge`, `POST /v1/enroll`,
 * `POST /v1/enroll/ticket` and `GET /health`.
 *
 * @param options Store, authority and log.
 * @returns The app and its counters.
 */
export function createEnrolment(options: EnrolmentOptions): EnrolmentApp {
  const enrolment = new Enrolment(options);
  const app = new Hono();
  app.get(ROUTES.health, () => Response.json({ status: "ok" }));
  app.post(ROUTES.challenge, (c) => enrolment.challenge(c.req.raw));
  app.post(ROUTES.enroll, (c) => enrolment.enroll(c.req.raw));
  app.post(ROUTES.ticket, (c) => enrolment.ticket(c.req.raw));
  app.notFound((c) =>
    errorAnswer(new ImmuneError("NOT_FOUND", `Cannot find ${c.req.method} on this path`))
  );
  return { app, refused: () => enrolment.refused() };
}

const BY_CODE: ReadonlyMap<ErrorCode, EnrolmentRefusal> = new Map([
  ["INPUT_MALFORMED", "malformed"],
  ["CHALLENGE_INVALID", "challenge"],
  ["TOKEN_INVALID", "token"],
  ["ENROLL_REFUSED", "request"],
  ["NOT_FOUND", "ticket"],
  ["RATE_LIMITED", "busy"],
]);

class Enrolment {
  readonly #options: EnrolmentOptions;
  readonly #clock: Clock;
  readonly #challenges: Challenges;
  readonly #refused = new Map<EnrolmentRefusal, number>();
  #underWay = 0;

  constructor(options: EnrolmentOptions) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#challenges = options.challenges ?? new Challenges({ clock: this.#clock });
  }

  refused(): Readonly<Record<EnrolmentRefusal, number>> {
    return Object.fromEntries(
      ENROLMENT_REFUSALS.map((reason) => [reason, this.#refused.get(reason) ?? 0]),
    ) as Record<EnrolmentRefusal, number>;
  }

  /** Gives a challenge; whether the token is good shows only with the solution. */
  challenge(request: Request): Promise<Response> {
    return this.#serve(async () => {
      const asked = await this.#read(request, challengeRequestSchema);
      return Response.json(this.#challenges.issue(asked));
    });
  }

  enroll(request: Request): Promise<Response> {
    return this.#serve(async () => this.#enroll(await this.#read(request, enrollRequestSchema)));
  }

  /** Says what became of an enrolment that waits. */
  ticket(request: Request): Promise<Response> {
    return this.#serve(async () => {
      const { ticket } = await this.#read(request, ticketSchema);
      const answer = await this.#options.pending?.answer(ticket);
      if (answer === undefined) {
        throw new ImmuneError("NOT_FOUND", "Cannot find this enrolment: it is unknown or too old");
      }
      if (answer.state === "pending") return waits(ticket);
      if (answer.state === "denied") {
        throw new ImmuneError("ENROLL_REFUSED", "Cannot enrol: an operator denied it");
      }
      const { agentId, certificate } = answer;
      return this.#granted({ agentId, certificate });
    });
  }

  async #serve(work: () => Promise<Response>): Promise<Response> {
    if (this.#underWay >= ENROLMENTS_AT_ONCE_MAX) {
      const error = new ImmuneError("RATE_LIMITED", "Cannot enrol more agents at once; try again");
      return this.#refuse("busy", error);
    }
    this.#underWay++;
    try {
      return await work();
    } catch (error) {
      return this.#failure(error);
    } finally {
      this.#underWay--;
    }
  }

  async #read<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
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
      const checked = schema.safeParse(parsed(text));
      if (!checked.success) throw malformed(checked.error.issues[0]?.message ?? "it does not hold");
      return checked.data;
    } finally {
      timer.cancel();
    }
  }

  /**
   * The cheap checks come first, and the proof of work before any that costs; the token last, so
   * that a request that is none does not use it up.
   */
  async #enroll(asked: EnrollRequest): Promise<Response> {
    const { store, authority, pending, onEnrolled } = this.#options;
    const { request, hostId, hostName, challenge, solution } = asked;
    const tokenHash = hashSecret(asked.secret);
    const keyHash = requestedKeyHash(request);
    this.#challenges.take({ challenge, solution, tokenHash, keyHash });
    const agentId = crypto.randomUUID();
    const { pem, fingerprint } = await authority.sign(request, { agentId });
    const use = { nowMs: this.#clock.nowMs(), hostId, hostName };
    const grant = await store.useToken(tokenHash, use);
    if (grant === undefined || (grant.approval && pending === undefined)) {
      throw new ImmuneError("TOKEN_INVALID", TOKEN_MESSAGE);
    }
    const { tags } = grant;
    if (grant.approval && pending !== undefined) {
      return waits(await pending.add({ hostId, hostName, tags, keyHash, request }));
    }
    await store.addAgent({ id: agentId, hostId, hostName, tags }, fingerprint);
    onEnrolled?.({ agentId, hostId, hostName, fingerprint });
    return await this.#granted({ agentId, certificate: pem });
  }

  async #granted(granted: Pick<EnrollResponse, "agentId" | "certificate">): Promise<Response> {
    const orders = await this.#options.orders?.();
    const { fleetId } = this.#options.authority;
    const answer: EnrollResponse = orders === undefined
      ? { ...granted, fleetId }
      : { ...granted, fleetId, orders };
    return Response.json(answer);
  }

  #failure(error: unknown): Response {
    if (!(error instanceof ImmuneError)) {
      const why = error instanceof Error ? error.message : String(error);
      return this.#refuse("malformed", malformed(why));
    }
    const reason = BY_CODE.get(error.code);
    if (reason !== undefined) return this.#refuse(reason, error);
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

/** An operator has to approve: the agent comes again with its ticket. */
function waits(ticket: string): Response {
  return Response.json({ ticket }, {
    status: 202,
    headers: { "Retry-After": String(PENDING_RETRY_S), "Cache-Control": "no-store" },
  });
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
