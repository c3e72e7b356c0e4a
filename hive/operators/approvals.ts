import type { AuditDecision, AuditDetail, AuditTrail } from "../../common/audit/mod.ts";
import { type Clock, ImmuneError } from "../../common/config/mod.ts";
import { type DocumentRow, DOCUMENTS_PER_PAGE_MAX } from "../store/store.ts";
import type { DocumentStore } from "./accounts.ts";
import {
  type Approval,
  APPROVAL_MS,
  APPROVAL_MS_MAX,
  APPROVALS_MAX,
  APPROVALS_OPEN_MAX,
  approvalSchema,
  PAYLOAD_CHARACTERS_MAX,
  peopleMissing,
  REASON_CHARACTERS_MAX,
} from "./approval.ts";
import { actorOf, type Person, personOf, type Principal } from "./principal.ts";

/** Kind of requests in the store. */
const KIND = "approval";

/** An act that may be asked for. */
export interface ApprovalAct {
  /** Words with dots, as in the audit log. */
  readonly action: string;
  /**
   * Does it, once it is approved.
   *
   * @param payload What was asked for. It comes from the store: check it.
   * @param people Everyone who stands behind it.
   */
  readonly run: (payload: unknown, people: readonly Person[]) => Promise<void>;
}

/** What is asked for. */
export interface ApprovalRequest {
  /** Of an act that was registered. */
  readonly action: string;
  /** Of what, for people to read. */
  readonly object: string;
  /** Default: none. */
  readonly reason?: string;
  /** JSON that the act needs. */
  readonly payload: unknown;
  /** How long it waits, in milliseconds. Default {@linkcode APPROVAL_MS}. */
  readonly lifetimeMs?: number;
}

/** What approvals work with. */
export interface ApprovalsOptions {
  readonly store: DocumentStore;
  readonly audit: AuditTrail;
  readonly clock: Clock;
}

/**
 * Acts that take two people. A request waits in the store, is approved by another person than the
 * one who asks, and is done at most once.
 */
export class Approvals {
  readonly #options: ApprovalsOptions;
  readonly #acts = new Map<string, ApprovalAct>();

  /** @param options Store, audit log and clock. */
  constructor(options: ApprovalsOptions) {
    this.#options = options;
  }

  /**
   * Makes an act one that can be asked for. At each start of the hive anew: what waits in the store
   * needs it.
   *
   * @param act The act.
   */
  register(act: ApprovalAct): void {
    this.#acts.set(act.action, act);
  }

  /**
   * Asks for an act.
   *
   * @param principal Who asks.
   * @param request What for.
   * @returns The request, open.
   * @throws {ImmuneError} `INPUT_MALFORMED`, `RATE_LIMITED` when too many wait.
   */
  async ask(principal: Principal, request: ApprovalRequest): Promise<Approval> {
    const { action, object, reason = "", payload, lifetimeMs = APPROVAL_MS } = request;
    this.#actOf(action);
    const isFit = JSON.stringify(payload ?? null).length <= PAYLOAD_CHARACTERS_MAX &&
      reason.length <= REASON_CHARACTERS_MAX && lifetimeMs > 0 && lifetimeMs <= APPROVAL_MS_MAX;
    if (!isFit) {
      throw new ImmuneError("INPUT_MALFORMED", `Cannot ask for "${action}": it is over a bound`);
    }
    await this.#makeRoom();
    const nowMs = this.#options.clock.nowMs();
    const { kind, id, name = id } = actorOf(principal);
    const approval: Approval = {
      id: crypto.randomUUID(),
      action,
      object,
      reason,
      payload,
      askedBy: { kind, id, name },
      asker: personOf(principal) ?? null,
      askedAt: new Date(nowMs).toISOString(),
      expiresAt: new Date(nowMs + lifetimeMs).toISOString(),
      approvedBy: [],
      state: "open",
      outcome: null,
    };
    await this.#record(principal, approval, { decision: "asked" });
    await this.#options.store.putDocument(rowOf(approval, 1));
    return approval;
  }

  /** All requests, newest first. */
  async list(): Promise<readonly Approval[]> {
    const rows = await this.#rows();
    const approvals = await Promise.all(rows.map((row) => this.#current(row)));
    return approvals.sort((a, b) => a.askedAt < b.askedAt ? 1 : -1);
  }

  /**
   * Approves a request; with the last person that it needs it is done.
   *
   * @param principal Another person than the one who asks.
   * @param id Its id.
   * @returns The request as it is now.
   * @throws {ImmuneError} `NOT_FOUND`, `FORBIDDEN` for the same person or none, `CONFLICT` for one
   * that is no longer open.
   */
  async approve(principal: Principal, id: string): Promise<Approval> {
    const { row, approval } = await this.#open(id);
    const person = personOf(principal);
    if (person === undefined) {
      throw new ImmuneError("FORBIDDEN", "Cannot approve: only a person with an account can");
    }
    const own = [approval.asker, ...approval.approvedBy].some((each) => each?.id === person.id);
    if (own) {
      await this.#record(principal, approval, {
        decision: "refused",
        detail: { why: "same person" },
      });
      throw new ImmuneError("FORBIDDEN", "Cannot approve: it takes another person than you");
    }
    this.#actOf(approval.action);
    const approved = { ...approval, approvedBy: [...approval.approvedBy, person] };
    const isEnough = peopleMissing(approved) === 0;
    const next: Approval = { ...approved, state: isEnough ? "approved" : "open" };
    await this.#record(principal, approval, { decision: "approved" });
    await this.#save(next, row);
    return isEnough ? await this.#run(principal, next) : next;
  }

  /**
   * Denies a request.
   *
   * @param principal Who denies it; whoever asked may take it back.
   * @param id Its id.
   * @returns The request as it is now.
   * @throws {ImmuneError} `NOT_FOUND`, `CONFLICT` for one that is no longer open.
   */
  async deny(principal: Principal, id: string): Promise<Approval> {
    const { row, approval } = await this.#open(id);
    const { id: actor, name = actor } = actorOf(principal);
    const next: Approval = { ...approval, state: "denied", outcome: `Denied by ${name}` };
    await this.#record(principal, approval, { decision: "denied" });
    await this.#save(next, row);
    return next;
  }

  /**
   * Closes what was approved when the hive ended and may or may not have been done: it is not done
   * a second time.
   */
  async resume(): Promise<void> {
    for (const row of await this.#rows()) {
      const approval = approvalOf(row);
      if (approval.state !== "approved") continue;
      const outcome = "The hive ended while it was done: look whether it was, and ask again";
      await this.#record(undefined, approval, { decision: "failed", detail: { outcome } });
      await this.#options.store.putDocument(
        rowOf({ ...approval, state: "failed", outcome }, row.version + 1),
      );
    }
  }

  async #run(principal: Principal, approval: Approval): Promise<Approval> {
    const people = [approval.asker, ...approval.approvedBy].filter((each) => each !== null);
    let end: Approval;
    try {
      await this.#actOf(approval.action).run(approval.payload, people);
      end = { ...approval, state: "done" };
    } catch (error) {
      const outcome = error instanceof ImmuneError ? error.message : "It failed; the log says why";
      end = { ...approval, state: "failed", outcome };
    }
    const decision = end.state === "done" ? "done" : "failed";
    const detail = end.outcome === null ? {} : { outcome: end.outcome };
    await this.#record(principal, approval, { decision, detail });
    const row = await this.#options.store.document(KIND, approval.id);
    if (row !== undefined) await this.#options.store.putDocument(rowOf(end, row.version + 1));
    return end;
  }

  async #open(id: string): Promise<{ readonly row: DocumentRow; readonly approval: Approval }> {
    const row = await this.#options.store.document(KIND, id);
    if (row === undefined) {
      const hint = '"immune approvals list" shows them';
      throw new ImmuneError("NOT_FOUND", `Cannot find request "${id}": ${hint}`);
    }
    const approval = await this.#current(row);
    if (approval.state === "open") return { row, approval };
    throw new ImmuneError("CONFLICT", `Cannot decide on request "${id}": it is ${approval.state}`);
  }

  /** A request as it stands now: one whose time is over is closed. */
  async #current(row: DocumentRow): Promise<Approval> {
    const approval = approvalOf(row);
    const isOver = Date.parse(approval.expiresAt) <= this.#options.clock.nowMs();
    if (approval.state !== "open" || !isOver) return approval;
    const expired: Approval = { ...approval, state: "expired" };
    // Of many who look at once one closes it.
    if (await this.#options.store.putDocument(rowOf(expired, row.version + 1))) {
      await this.#record(undefined, approval, { decision: "expired" });
    }
    return expired;
  }

  async #save(approval: Approval, { version }: DocumentRow): Promise<void> {
    if (await this.#options.store.putDocument(rowOf(approval, version + 1))) return;
    const message = `Cannot decide on request "${approval.id}": another was quicker; look again`;
    throw new ImmuneError("CONFLICT", message);
  }

  async #makeRoom(): Promise<void> {
    const all = await this.list();
    if (all.filter(({ state }) => state === "open").length >= APPROVALS_OPEN_MAX) {
      const message = `Cannot ask for approval: ${APPROVALS_OPEN_MAX} requests wait already`;
      throw new ImmuneError("RATE_LIMITED", message);
    }
    const over = all.length - APPROVALS_MAX + 1;
    if (over <= 0) return;
    const closed = all.filter(({ state }) => state !== "open" && state !== "approved");
    for (const { id } of closed.slice(-over)) await this.#options.store.removeDocument(KIND, id);
  }

  async #rows(): Promise<readonly DocumentRow[]> {
    const { documents } = await this.#options.store.documents({
      kind: KIND,
      limit: DOCUMENTS_PER_PAGE_MAX,
    });
    return documents;
  }

  async #record(
    principal: Principal | undefined,
    { id, action, object }: Approval,
    entry: { readonly decision: AuditDecision; readonly detail?: AuditDetail },
  ): Promise<void> {
    const actor = principal === undefined
      ? { kind: "hive", id: "approvals" } as const
      : actorOf(principal);
    const { decision, detail = {} } = entry;
    await this.#options.audit.append({
      actor,
      action,
      object,
      decision,
      detail: { request: id, ...detail },
    });
  }

  #actOf(action: string): ApprovalAct {
    const act = this.#acts.get(action);
    if (act !== undefined) return act;
    throw new ImmuneError("INPUT_MALFORMED", `Cannot do "${action}": this hive has no such act`);
  }
}

function rowOf(approval: Approval, version: number): DocumentRow {
  return { kind: KIND, id: approval.id, key: null, version, body: JSON.stringify(approval) };
}

function approvalOf({ id, body }: DocumentRow): Approval {
  const found = approvalSchema.safeParse(JSON.parse(body));
  if (found.success) return found.data;
  throw new ImmuneError("STORE_FAILED", `Cannot read request "${id}": it is damaged`);
}
