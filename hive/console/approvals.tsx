import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Child } from "hono/jsx";
import { ImmuneError } from "../../common/config/errors.ts";
import type { ApiContext, ApiEnv } from "../api/context.ts";
import { allow } from "../api/guards.ts";
import { type Approval, can, peopleMissing, type Principal } from "../operators/mod.ts";
import { ago, moment, visible, words } from "./format.ts";
import { page } from "./page.tsx";

/** Requests that were decided, on the page. */
const DECIDED_SHOWN_MAX = 50;

interface Shown {
  readonly principal: Principal;
  readonly mayApprove: (approval: Approval) => boolean;
  readonly approvals: readonly Approval[];
  readonly nowMs: number;
  readonly problem?: string;
}

/**
 * Adds the page of what waits for a second person.
 *
 * @param app Where to.
 * @param api What it works with.
 */
export function addApprovalsPage(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  const { approvals } = api.operators;
  const show = async (
    c: Context<ApiEnv>,
    { problem, status }: { readonly problem?: string; readonly status: number },
  ): Promise<Response> => {
    const principal = c.get("principal");
    const shown: Shown = {
      principal,
      mayApprove: (approval) => approvals.mayApprove(principal, approval),
      approvals: await approvals.list(),
      nowMs: api.clock.nowMs(),
      ...(problem === undefined ? {} : { problem }),
    };
    const children = <Approvals {...shown} />;
    return c.html(
      page({ title: "Approvals", principal, path: "/approvals", children }),
      status as 200,
    );
  };
  app.get("/approvals", allow("read", "approvals"), (c) => show(c, { status: 200 }));
  for (const decision of ["approve", "deny"] as const) {
    app.post(`/approvals/:id/${decision}`, allow("approve", "approvals"), async (c) => {
      try {
        await approvals[decision](c.get("principal"), c.req.param("id") ?? "");
      } catch (error) {
        if (!(error instanceof ImmuneError) || error.status >= 500) throw error;
        return await show(c, { problem: error.message, status: error.status });
      }
      return c.redirect("/approvals", 303);
    });
  }
}

function Approvals({ principal, mayApprove, approvals, nowMs, problem }: Shown): Child {
  const open = approvals.filter(({ state }) => state === "open");
  const decided = approvals.filter(({ state }) => state !== "open").slice(0, DECIDED_SHOWN_MAX);
  const may = can(principal, "approve", "approvals");
  return (
    <div class="detail">
      <h1>Approvals</h1>
      {problem !== undefined && <p class="problem" role="alert">{visible(problem)}</p>}
      {open.length === 0
        ? <p class="card empty">Nothing waits for a second person.</p>
        : (
          <section aria-labelledby="open-title">
            <h2 id="open-title">Waiting</h2>
            <ol class="plain">
              {open.map((approval) => (
                <Request
                  key={approval.id}
                  approval={approval}
                  may={{ approve: may && mayApprove(approval), deny: may }}
                  nowMs={nowMs}
                />
              ))}
            </ol>
          </section>
        )}
      {decided.length > 0 && (
        <section aria-labelledby="decided-title">
          <h2 id="decided-title">Decided</h2>
          <ol class="plain">
            {decided.map((approval) => (
              <Request key={approval.id} approval={approval} may={NOTHING} nowMs={nowMs} />
            ))}
          </ol>
        </section>
      )}
    </div>
  );
}

/** What whoever looks may do about a request. */
interface May {
  readonly approve: boolean;
  readonly deny: boolean;
}

const NOTHING: May = { approve: false, deny: false };

function Request({ approval, may, nowMs }: {
  readonly approval: Approval;
  readonly may: May;
  readonly nowMs: number;
}): Child {
  const { id, action, object, reason, askedBy, askedAt, expiresAt, state, outcome } = approval;
  const missing = peopleMissing(approval);
  const facts = Object.entries(approval.detail);
  return (
    <li class="card" id={`request-${id}`}>
      <div class="row">
        <h3>{visible(`${action} ${object}`)}</h3>
        <span class="state">{state}</span>
      </div>
      <p class="note">
        {`asked by ${visible(askedBy.name)} `}
        <time datetime={askedAt} title={moment(askedAt)}>{ago(askedAt, nowMs)}</time>
        {approval.approvedBy.length > 0 &&
          ` · approved by ${approval.approvedBy.map(({ name }) => visible(name)).join(", ")}`}
        {state === "open" && ` · ${missing} more to approve, until ${moment(expiresAt)}`}
      </p>
      {facts.length > 0 && (
        <dl class="facts">
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{words(name)}</dt>
              <dd>{visible(String(value))}</dd>
            </div>
          ))}
        </dl>
      )}
      {reason !== "" && <p>{visible(reason)}</p>}
      {outcome !== null && <p>{visible(outcome)}</p>}
      {may.deny && (
        <div class="acts">
          {may.approve && <Decide id={id} decision="approve" name="Approve" of={object} />}
          <Decide id={id} decision="deny" name="Deny" of={object} />
        </div>
      )}
    </li>
  );
}

function Decide({ id, decision, name, of }: {
  readonly id: string;
  readonly decision: "approve" | "deny";
  readonly name: string;
  readonly of: string;
}): Child {
  return (
    <form method="post" action={`/approvals/${id}/${decision}`}>
      <button class={decision === "approve" ? undefined : "quiet"} type="submit">
        {name}
        <span class="hidden">{` ${visible(of)}`}</span>
      </button>
    </form>
  );
}
