import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Child } from "hono/jsx";
import * as z from "zod";
import { ImmuneError } from "../../common/config/errors.ts";
import { EVERY_HOST } from "../../common/wire/mod.ts";
import type { ApiContext, ApiEnv } from "../api/context.ts";
import { allow } from "../api/guards.ts";
import type { AgentOrders, DirectiveOutcome, DirectiveSummary } from "../store/directive_store.ts";
import { ago, exact, moment, visible, words } from "./format.ts";
import { page } from "./page.tsx";

/** Directives on the page. */
const SHOWN_MAX = 50;

const placeSchema = z.object({
  stream: z.enum(["directive", "stop"]),
  number: z.coerce.number().int().positive(),
});

/**
 * Adds the pages of orders: which there were, who gave them, and what each host found.
 *
 * @param app Where to.
 * @param api What they work with.
 */
export function addDirectivesPages(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  const { store, clock } = api;
  app.get("/directives", allow("read", "directives"), async (c) => {
    const [directives, agents] = await Promise.all([
      store.directives(SHOWN_MAX),
      store.agentOrders(),
    ]);
    const children = <Directives directives={directives} hosts={agents} nowMs={clock.nowMs()} />;
    const principal = c.get("principal");
    return c.html(page({ title: "Directives", principal, path: "/directives", children }));
  });
  app.get("/directives/:stream/:number", allow("read", "directives"), async (c) => {
    const asked = placeSchema.safeParse(c.req.param());
    const directive = asked.success ? await find(api, asked.data) : undefined;
    if (directive === undefined) {
      throw new ImmuneError("NOT_FOUND", "Cannot show this order: there is none, or not any more");
    }
    const [outcomes, agents] = await Promise.all([
      store.directiveOutcomes(directive.stream, directive.number),
      store.agentOrders(),
    ]);
    const shown = { directive, outcomes, agents, nowMs: clock.nowMs() };
    const title = `${directive.stream} ${directive.number}`;
    const children = <Directive {...shown} />;
    return c.html(page({ title, principal: c.get("principal"), path: "/directives", children }));
  });
}

async function find(
  { store }: ApiContext,
  place: z.infer<typeof placeSchema>,
): Promise<DirectiveSummary | undefined> {
  const [found] = await store.directives(1, place);
  return found;
}

function Directives({ directives, hosts, nowMs }: {
  readonly directives: readonly DirectiveSummary[];
  readonly hosts: readonly AgentOrders[];
  readonly nowMs: number;
}): Child {
  return (
    <div class="detail">
      <h1>Directives</h1>
      {directives.length === 0
        ? (
          <p class="card empty">
            No order went out yet. <code>immune directives</code> sends one.
          </p>
        )
        : (
          <ol class="plain">
            {directives.map((directive) => (
              <li class="card" key={`${directive.stream}/${directive.number}`}>
                <Summary directive={directive} hosts={hosts} nowMs={nowMs} isLink />
              </li>
            ))}
          </ol>
        )}
    </div>
  );
}

/**
 * One order in a few lines.
 *
 * @param props The order, the hosts there are, now as Unix time in milliseconds.
 */
function Summary({ directive, hosts, nowMs, isLink = false }: {
  readonly directive: DirectiveSummary;
  readonly hosts: readonly AgentOrders[];
  readonly nowMs: number;
  readonly isLink?: boolean;
}): Child {
  const { stream, number, kind, issuedMs, expiresMs, by, results } = directive;
  const issued = new Date(issuedMs).toISOString();
  const name = `${words(kind)} for ${targetName(directive, hosts)}`;
  const isOver = expiresMs <= nowMs;
  return (
    <>
      <div class="row">
        {isLink
          ? (
            <h2>
              <a href={`/directives/${stream}/${number}`}>{name}</a>
            </h2>
          )
          : <h1>{name}</h1>}
        <span class={`state ${isOver ? "" : "state-online"}`}>{isOver ? "over" : "holds"}</span>
      </div>
      <p class="note">
        {`${stream} ${number} · ordered by ${visible(by)} `}
        <time datetime={issued} title={moment(issued)}>{ago(issued, nowMs)}</time>
        {` · ${isOver ? "held" : "holds"} until ${moment(new Date(expiresMs).toISOString())}`}
      </p>
      <Counts results={results} />
    </>
  );
}

/**
 * How many hosts said what.
 *
 * @param props Counts by outcome.
 */
export function Counts({ results }: Pick<DirectiveSummary, "results">): Child {
  const { done, failed, refused } = results;
  return (
    <dl class="counts">
      {([["done", done], ["failed", failed], ["refused", refused]] as const).map((
        [name, count],
      ) => (
        <div key={name} class={name !== "done" && count > 0 ? "lost" : ""}>
          <dt>{name}</dt>
          <dd>{exact(count)}</dd>
        </div>
      ))}
    </dl>
  );
}

interface Shown {
  readonly directive: DirectiveSummary;
  readonly outcomes: readonly DirectiveOutcome[];
  readonly agents: readonly AgentOrders[];
  readonly nowMs: number;
}

function Directive({ directive, outcomes, agents, nowMs }: Shown): Child {
  const heard = new Set(outcomes.map(({ agentId }) => agentId));
  const silent = agents.filter((agent) =>
    !agent.revoked && !heard.has(agent.agentId) &&
    (directive.target === EVERY_HOST || directive.target === agent.hostId)
  );
  const isOver = directive.expiresMs <= nowMs;
  return (
    <div class="detail">
      <p>
        <a href="/directives">All directives</a>
      </p>
      <Summary directive={directive} hosts={agents} nowMs={nowMs} />
      <section aria-labelledby="hosts-title">
        <h2 id="hosts-title">What each host found</h2>
        {outcomes.length + silent.length === 0
          ? <p class="card empty">No host that it is for.</p>
          : (
            <ul class="plain">
              {outcomes.map((outcome) => <Outcome key={outcome.agentId} outcome={outcome} />)}
              {silent.map(({ agentId, hostName }) => (
                <li class="card" key={agentId}>
                  <div class="row">
                    <h3>{visible(hostName)}</h3>
                    <span class="state">{isOver ? "silent" : "no answer yet"}</span>
                  </div>
                </li>
              ))}
            </ul>
          )}
      </section>
    </div>
  );
}

function Outcome({ outcome: { hostName, outcome, cause, text, heardMs } }: {
  readonly outcome: DirectiveOutcome;
}): Child {
  const heard = new Date(heardMs).toISOString();
  return (
    <li class="card">
      <div class="row">
        <h3>{visible(hostName)}</h3>
        <span class={`state outcome-${outcome}`}>
          {cause === null ? outcome : `${outcome}: ${words(cause)}`}
        </span>
      </div>
      {text !== "" && <p>{visible(text)}</p>}
      <p class="note">
        {"heard "}
        <time datetime={heard}>{moment(heard)}</time>
      </p>
    </li>
  );
}

function targetName({ target }: DirectiveSummary, hosts: readonly AgentOrders[]): string {
  if (target === EVERY_HOST) return "every host";
  const host = hosts.find(({ hostId }) => hostId === target);
  return host === undefined ? `host ${target.slice(0, 16)}` : visible(host.hostName);
}
