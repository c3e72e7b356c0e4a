import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Child } from "hono/jsx";
import type { StopKeyFacts } from "../../common/keys/mod.ts";
import type { ApiContext, ApiEnv } from "../api/context.ts";
import { allow } from "../api/guards.ts";
import { type KillSwitchUse, type KillSwitchView, killSwitchView } from "../api/kill_switch.ts";
import type { AgentOrders } from "../store/directive_store.ts";
import { Counts } from "./directives.tsx";
import { ago, moment, visible, words } from "./format.ts";
import { page } from "./page.tsx";

/** What a use is called. */
const ACTIONS = { drill: "Drill", stop: "Stop", lift: "Sensors back on" } as const;

/**
 * Adds the page of the kill switch. It only shows: shares meet in an operator's process alone, never
 * in a browser.
 *
 * @param app Where to.
 * @param api What it works with.
 */
export function addKillSwitchPage(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  app.get("/kill-switch", allow("read", "kill_switch"), async (c) => {
    const children = <KillSwitch view={await killSwitchView(api)} nowMs={api.clock.nowMs()} />;
    const principal = c.get("principal");
    return c.html(page({ title: "Kill switch", principal, path: "/kill-switch", children }));
  });
}

function KillSwitch({ view: { stopKey, uses, agents }, nowMs }: {
  readonly view: KillSwitchView;
  readonly nowMs: number;
}): Child {
  const stopped = agents.filter((agent) => agent.stopped).length;
  return (
    <div class="detail">
      <h1>Kill switch</h1>
      {stopped > 0 && (
        <p class="problem" role="alert">
          {`${stopped} of ${agents.length} hosts have no sensor: they were stopped.`}
        </p>
      )}
      <StopKey stopKey={stopKey} />
      <section aria-labelledby="uses-title">
        <h2 id="uses-title">Drills and stops</h2>
        {uses.length === 0 ? <p class="card empty">Never used: try a drill.</p> : (
          <ol class="plain">
            {uses.map((use) => <Use key={use.number} use={use} nowMs={nowMs} />)}
          </ol>
        )}
      </section>
      <section aria-labelledby="hosts-title">
        <h2 id="hosts-title">Hosts</h2>
        {agents.length === 0 ? <p class="card empty">No agent yet.</p> : (
          <ul class="plain">
            {agents.map((agent) => <Host key={agent.agentId} agent={agent} nowMs={nowMs} />)}
          </ul>
        )}
      </section>
    </div>
  );
}

function StopKey({ stopKey }: { readonly stopKey: StopKeyFacts | undefined }): Child {
  if (stopKey === undefined) {
    return (
      <p class="card empty">
        There is no stop key. <code>immune kill-switch init</code> makes one, as shares.
      </p>
    );
  }
  const { holders, threshold, publicKey } = stopKey;
  return (
    <section class="card" aria-labelledby="key-title">
      <h2 id="key-title">Stop key</h2>
      <p>{`${holders} people hold a share each; ${threshold} of them stop the fleet together.`}</p>
      <p class="note">
        {"Its public half, as agents know it: "}
        <code class="whole">{publicKey}</code>
      </p>
    </section>
  );
}

function Use({ use, nowMs }: { readonly use: KillSwitchUse; readonly nowMs: number }): Child {
  const { stream, number, action, by, issuedMs, expiresMs } = use;
  const issued = new Date(issuedMs).toISOString();
  return (
    <li class="card">
      <div class="row">
        <h3>
          <a href={`/directives/${stream}/${number}`}>{ACTIONS[action]}</a>
        </h3>
        <span class="state">{expiresMs <= nowMs ? "over" : "holds"}</span>
      </div>
      <p class="note">
        {`brought by ${visible(by)} `}
        <time datetime={issued} title={moment(issued)}>{ago(issued, nowMs)}</time>
      </p>
      <Counts results={use.results} />
    </li>
  );
}

function Host({ agent, nowMs }: { readonly agent: AgentOrders; readonly nowMs: number }): Child {
  const { hostName, stopped, canary, heardMs, refused } = agent;
  const heard = heardMs === null ? undefined : new Date(heardMs).toISOString();
  const refusals = Object.entries(refused).filter(([, count]) => count > 0);
  return (
    <li class="card">
      <div class="row">
        <h3>{visible(hostName)}</h3>
        <span class={`state ${stopped ? "state-revoked" : "state-online"}`}>
          {stopped ? "stopped" : "sensor allowed"}
        </span>
      </div>
      <p class="note">
        {`canary ${canary} · `}
        {heard === undefined ? "it has said nothing of orders yet" : (
          <>
            {"heard "}
            <time datetime={heard} title={moment(heard)}>{ago(heard, nowMs)}</time>
          </>
        )}
      </p>
      {refusals.length > 0 && (
        <ul class="causes" aria-label={`Refused by ${visible(hostName)}, by cause`}>
          {refusals.map(([cause, count]) => (
            <li key={cause}>{`refused: ${words(cause)} ${count}`}</li>
          ))}
        </ul>
      )}
    </li>
  );
}
