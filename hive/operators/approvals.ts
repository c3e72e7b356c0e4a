import type { AuditDecision, AuditDetail, AuditTrail } from "../../common/audit/mod.ts";
import { type Clock, ImmuneError } from "../../common/config/mod.ts";
import { type DocumentRow, DOCUMENTS_PER_PAGE_MAX } from "../store/store.ts";
import type { Accounts, DocumentStore } from "./accounts.ts";
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
  STANDING_CHARACTERS_MAX,
} from "./approval.ts";
import { type Action, type ApiObject, can } from "./can.ts";
import { actorOf, type Person, personOf, type Principal } from "./principal.ts";

/** Kind of requests in the store. */
const KIND = "approval";

/** An act that may be asked for. */
export interface ApprovalAct {
  /** Words with dots, as in the audit log. */
  readonly action: string;
  /** What everyone who stands behind it has to be allowed. */
  readonly needs: readonly [Action, ApiObject];
  /**
   * How what it is done to stands, in a short text. What it is when the act is asked for, it has to
   * be when it is done: nobody approves what has become something else. Default: it cannot change.
   *
   * @param payload What was asked for.
   */
  readonly standing?: (payload: unknown) => Promise<string>;
  /** True when doing it twice does no more than once; the hive then ends what it had begun. */
  readonly isRepeatable?: boolean;
  /**
   * Does it, once it is approved.
   *
   * @param payload What was asked for. It comes from the store: check it.
   * @param people Everyone who stands behind it, who asked first.
   */
  readonly run: (payload: unknown, people: readonly Person[]) => Promise<void>;
}

/** What is asked for. */
export interface ApprovalRequest {
  /** Of an act that was registered. */
  readonly action: string;
  /** Of what, for people to read. */
  readonly object: string;
  /** What else there is to know of it, for people to read. Default: nothing. */
  readonly detail?: AuditDetail;
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
  /** Who people are now. */
  readonly accounts: Pick<Accounts, "get">;
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
    const { action, object, detail = {}, reason = "", payload } = request;
    const { lifetimeMs = APPROVAL_MS } = request;
    const standing = await this.#actOf(action).standing?.(payload) ?? "";
    const over = overBound({ payload, standing, reason, lifetimeMs });
    if (over !== undefined) {
      throw new ImmuneError("INPUT_MALFORMED", `Cannot ask for "${action}": ${over}`);
    }
    await this.#makeRoom();
    const nowMs = this.#options.clock.nowMs();
    const { kind, id, name = id } = actorOf(principal);
    const approval: Approval = {
      id: crypto.randomUUID(),
      action,
      object,
      detail,
      standing,
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
    await this.#record(principal, approval, {
      decision: "asked",
      detail: reason === "" ? detail : { ...detail, reason },
    });
    await this.#options.store.putDocument(rowOf(approval, 1));
    return approval;
  }

  /**
   * Whether somebody may stand behind a request.
   *
   * @param principal Who.
   * @param approval Which request.
   */
  mayApprove(principal: Principal, { asker, approvedBy, action }: Approval): boolean {
    const person = personOf(principal);
    const needs = this.#acts.get(action)?.needs;
    return person !== undefined && needs !== undefined && can(principal, ...needs) &&
      ![asker, ...approvedBy].some((each) => each?.id === person.id);
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
   * @throws {ImmuneError} `NOT_FOUND`, `FORBIDDEN` for the same person, for none, and for one who
   * may not do it, `CONFLICT` for one that is no longer open.
   */
  async approve(principal: Principal, id: string): Promise<Approval> {
    const { row, approval } = await this.#open(id);
    const person = personOf(principal);
    if (person === undefined) {
      throw new ImmuneError("FORBIDDEN", "Cannot approve: only a person with an account can");
    }
    const own = [approval.asker, ...approval.approvedBy].some((each) => each?.id === person.id);
    if (own) {
      const hint = "it takes another person than you";
      throw await this.#refusal(principal, approval, { why: "same person", hint });
    }
    const { needs: [action, object] } = this.#actOf(approval.action);
    if (!can(principal, action, object)) {
      const hint = `you may not ${action} "${object.replaceAll("_", " ")}" yourself`;
      throw await this.#refusal(principal, approval, { why: "role", hint });
    }
    const approved = { ...approval, approvedBy: [...approval.approvedBy, person] };
    const isEnough = peopleMissing(approved) === 0;
    const next: Approval = { ...approved, state: isEnough ? "approved" : "open" };
    await this.#record(principal, approval, { decision: "approved" });
    await this.#save(next, row);
    return isEnough ? await this.#run(next, { principal }) : next;
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
   * Ends what was approved when the hive ended. What can be done twice is done; of anything else
   * nobody knows whether it was, so that it is closed, and not done a second time.
   */
  async resume(): Promise<void> {
    for (const row of await this.#rows()) {
      const approval = approvalOf(row);
      if (approval.state !== "approved") continue;
      if (this.#acts.get(approval.action)?.isRepeatable === true) {
        await this.#run(approval, { isAgain: true });
      } else {
        const outcome = "The hive ended while it was done: look whether it was, and ask again";
        await this.#end(undefined, { ...approval, state: "failed", outcome });
      }
    }
  }

  async #run(
    approval: Approval,
    { principal, isAgain = false }: {
      readonly principal?: Principal;
      /** It was begun already, and so its object may have changed by it. */
      readonly isAgain?: boolean;
    },
  ): Promise<Approval> {
    let end: Approval;
    try {
      const act = this.#actOf(approval.action);
      await this.#checkPeople(act, approval);
      const standing = await act.standing?.(approval.payload) ?? "";
      if (!isAgain && standing !== approval.standing) {
        const hint = "it changed since it was asked for; look, and ask again";
        throw new ImmuneError("CONFLICT", `Cannot do "${approval.action}": ${hint}`);
      }
      await act.run(approval.payload, peopleOf(approval));
      end = { ...approval, state: "done" };
    } catch (error) {
      const outcome = error instanceof ImmuneError ? error.message : "It failed; the log says why";
      end = { ...approval, state: "failed", outcome };
    }
    return await this.#end(principal, end);
  }

  async #end(principal: Principal | undefined, end: Approval): Promise<Approval> {
    const decision = end.state === "done" ? "done" : "failed";
    const detail = end.outcome === null ? {} : { outcome: end.outcome };
    await this.#record(principal, end, { decision, detail });
    const row = await this.#options.store.document(KIND, end.id);
    if (row !== undefined) await this.#options.store.putDocument(rowOf(end, row.version + 1));
    return end;
  }

  /** Who stood behind it and may no longer do it does not count. */
  async #checkPeople(
    { needs: [action, object] }: ApprovalAct,
    approval: Approval,
  ): Promise<void> {
    for (const person of peopleOf(approval)) {
      const account = await this.#options.accounts.get(person.id);
      const holds = account !== undefined && !account.disabled &&
        can({ kind: "session", person, role: account.role, isFresh: false }, action, object);
      if (holds) continue;
      const message = `Cannot do "${approval.action}": "${person.name}" may not any more`;
      throw new ImmuneError("FORBIDDEN", message);
    }
  }

  async #refusal(
    principal: Principal,
    approval: Approval,
    { why, hint }: { readonly why: string; readonly hint: string },
  ): Promise<ImmuneError> {
    await this.#record(principal, approval, { decision: "refused", detail: { why } });
    return new ImmuneError("FORBIDDEN", `Cannot approve: ${hint}`);
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

/** What of a request is over its bound, and which that is. */
function overBound({ payload, standing, reason, lifetimeMs }: {
  readonly payload: unknown;
  readonly standing: string;
  readonly reason: string;
  readonly lifetimeMs: number;
}): string | undefined {
  if (lifetimeMs <= 0) return "its time is over";
  const held = [
    ["what it asks for, as JSON", JSON.stringify(payload ?? null).length, PAYLOAD_CHARACTERS_MAX],
    ["how its object stands", standing.length, STANDING_CHARACTERS_MAX],
    ["its reason", reason.length, REASON_CHARACTERS_MAX],
    ["its time in milliseconds", lifetimeMs, APPROVAL_MS_MAX],
  ] as const;
  const found = held.find(([, is, max]) => is > max);
  if (found === undefined) return undefined;
  const [what, is, max] = found;
  return `${what} is ${is}, over ${max}`;
}

function peopleOf({ asker, approvedBy }: Approval): readonly Person[] {
  return [asker, ...approvedBy].filter((each) => each !== null);
}

function rowOf(approval: Approval, version: number): DocumentRow {
  return { kind: KIND, id: approval.id, key: null, version, body: JSON.stringify(approval) };
}

function approvalOf({ id, body }: DocumentRow): Approval {
  const found = approvalSchema.safeParse(JSON.parse(body));
  if (found.success) return found.data;
  throw new ImmuneError("STORE_FAILED", `Cannot read request "${id}": it is damaged`);
}
