import { createHash } from "node:crypto";
import * as z from "zod";
import { type Clock, ImmuneError } from "../../common/config/mod.ts";
import type { DocumentRow, Store } from "../store/store.ts";
import type { Authority } from "../trust/authority.ts";

/** How long an enrolment waits for an operator, and an answer for its agent, in milliseconds. */
export const PENDING_MS = 24 * 60 * 60 * 1000;
/** Most enrolments that wait at a time. */
export const PENDING_MAX = 1000;
/** What an agent is told to wait before it asks again, in seconds. */
export const PENDING_RETRY_S = 5;
/** Kind of their documents. */
const KIND = "enrolment";

const bodySchema = z.object({
  agentId: z.uuid(),
  hostId: z.string(),
  hostName: z.string(),
  tags: z.array(z.string()),
  /** SHA-256 of the public key, as the host shows it. */
  keyHash: z.string(),
  request: z.string(),
  askedMs: z.int(),
  /** SHA-256 of the agent's ticket. */
  ticketHash: z.string(),
  state: z.enum(["pending", "approved", "denied"]),
  /** Of an approved one. */
  certificate: z.string().optional(),
  fingerprint: z.string().optional(),
});

/** An enrolment that waits, or that was decided a while ago. */
export type PendingEnrolment = Readonly<z.infer<typeof bodySchema>>;

/** What a host that wants to enrol says, and what its token grants. */
export type PendingAsked =
  & Pick<
    PendingEnrolment,
    "hostId" | "hostName" | "keyHash" | "request"
  >
  & { readonly tags: readonly string[] };

/** What became of an enrolment that waits. */
export type TicketAnswer =
  | { readonly state: "pending" }
  | { readonly state: "denied" }
  | { readonly state: "approved"; readonly agentId: string; readonly certificate: string };

/** What {@linkcode PendingEnrolments} works with. */
export interface PendingParts {
  readonly store: Pick<
    Store,
    | "document"
    | "findDocument"
    | "documents"
    | "putDocument"
    | "removeDocument"
    | "addAgent"
    | "certificate"
  >;
  readonly authority: Pick<Authority, "sign">;
  readonly clock: Clock;
}

/** Enrolments that wait for an operator. They outlast a restart of the hive. */
export class PendingEnrolments {
  readonly #parts: PendingParts;

  /** @param parts Store, authority and clock. */
  constructor(parts: PendingParts) {
    this.#parts = parts;
  }

  /**
   * Has an enrolment wait.
   *
   * @param asked Who, with a request whose signature was checked.
   * @returns The ticket with which the agent asks what became of it.
   * @throws {ImmuneError} `RATE_LIMITED` over the bound.
   */
  async add(asked: PendingAsked): Promise<string> {
    const known = await this.#all();
    const nowMs = this.#parts.clock.nowMs();
    const gone = known.filter(({ body }) => body.askedMs + PENDING_MS < nowMs);
    await Promise.all(gone.map(({ row }) => this.#parts.store.removeDocument(KIND, row.id)));
    if (known.length - gone.length >= PENDING_MAX) {
      throw new ImmuneError(
        "RATE_LIMITED",
        `Cannot enrol: ${PENDING_MAX} wait already; come again`,
      );
    }
    const ticket = crypto.getRandomValues(new Uint8Array(32))
      .toBase64({ alphabet: "base64url", omitPadding: true });
    const agentId = crypto.randomUUID();
    const body: PendingEnrolment = {
      ...asked,
      tags: [...asked.tags],
      agentId,
      askedMs: nowMs,
      ticketHash: hashOf(ticket),
      state: "pending",
    };
    await this.#parts.store.putDocument({
      kind: KIND,
      id: agentId,
      key: body.ticketHash,
      version: 1,
      body: JSON.stringify(body),
    });
    return ticket;
  }

  /** Enrolments that wait, the oldest first. */
  async list(): Promise<readonly PendingEnrolment[]> {
    const nowMs = this.#parts.clock.nowMs();
    return (await this.#all()).map(({ body }) => body)
      .filter((each) => each.state === "pending" && each.askedMs + PENDING_MS >= nowMs)
      .toSorted((a, b) => a.askedMs - b.askedMs);
  }

  /**
   * Decides one. The first decision counts.
   *
   * @param agentId As `list` gives it.
   * @param approved Whether the host may join.
   * @returns The enrolment as it is then.
   * @throws {ImmuneError} `NOT_FOUND` when none waits under this id.
   */
  async decide(agentId: string, approved: boolean): Promise<PendingEnrolment> {
    const { store, authority } = this.#parts;
    const found = readRow(await store.document(KIND, agentId));
    if (found === undefined || found.body.state !== "pending" || this.#isOver(found.body)) {
      throw noneWaits(agentId);
    }
    const { row, body } = found;
    const signed = approved ? await authority.sign(body.request, { agentId }) : undefined;
    const decided: PendingEnrolment = {
      ...body,
      state: approved ? "approved" : "denied",
      ...(signed === undefined ? {} : { certificate: signed.pem, fingerprint: signed.fingerprint }),
    };
    const next = { ...row, version: row.version + 1, body: JSON.stringify(decided) };
    if (!await store.putDocument(next)) throw noneWaits(agentId);
    await this.#ensureAgent(decided);
    return decided;
  }

  /**
   * What became of an enrolment.
   *
   * @param ticket As `add` gave it.
   * @returns The answer, or `undefined` for a ticket that is unknown or expired.
   */
  async answer(ticket: string): Promise<TicketAnswer | undefined> {
    const found = readRow(await this.#parts.store.findDocument(KIND, hashOf(ticket)));
    if (found === undefined || this.#isOver(found.body)) return undefined;
    const { state, agentId, certificate } = found.body;
    if (state !== "approved" || certificate === undefined) {
      return { state: state === "denied" ? "denied" : "pending" };
    }
    await this.#ensureAgent(found.body);
    return { state, agentId, certificate };
  }

  /** Whoever decided may have been stopped before the agent's row was there. */
  async #ensureAgent(
    { fingerprint, agentId: id, hostId, hostName, tags }: PendingEnrolment,
  ): Promise<
    void
  > {
    const { store } = this.#parts;
    if (fingerprint === undefined || await store.certificate(fingerprint) !== undefined) return;
    try {
      await store.addAgent({ id, hostId, hostName, tags }, fingerprint);
    } catch (error) {
      // Two that make up for it at the same time: one of them did.
      if (await store.certificate(fingerprint) === undefined) throw error;
    }
  }

  #isOver({ askedMs }: PendingEnrolment): boolean {
    return askedMs + PENDING_MS < this.#parts.clock.nowMs();
  }

  async #all(): Promise<readonly ReadRow[]> {
    const { documents } = await this.#parts.store.documents({ kind: KIND, limit: PENDING_MAX });
    return documents.flatMap((row) => readRow(row) ?? []);
  }
}

interface ReadRow {
  readonly row: DocumentRow;
  readonly body: PendingEnrolment;
}

function readRow(row: DocumentRow | undefined): ReadRow | undefined {
  if (row === undefined) return undefined;
  const body = bodySchema.safeParse(JSON.parse(row.body));
  return body.success ? { row, body: body.data } : undefined;
}

function hashOf(ticket: string): string {
  return createHash("sha256").update(ticket).digest("hex");
}

function noneWaits(agentId: string): ImmuneError {
  const message =
    `Cannot decide on "${agentId}": no enrolment waits under this id, or not any more`;
  return new ImmuneError("NOT_FOUND", message);
}
