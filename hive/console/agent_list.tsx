import type { Child } from "hono/jsx";
import type { AgentView, LedgerView } from "../api/agents.ts";
import { ago, exact, moment, short, visible, words } from "./format.ts";
import { Sensor, Tiers } from "./sensor.tsx";

/**
 * Agents with their loss ledgers.
 *
 * @param props Agents, and now as Unix time in milliseconds.
 */
export function AgentList({ agents, nowMs }: {
  readonly agents: readonly AgentView[];
  readonly nowMs: number;
}): Child {
  return (
    <section class="agents" aria-labelledby="agents-title">
      <h2 id="agents-title">Agents</h2>
      {agents.length === 0
        ? (
          <p class="card empty">
            No agent yet. <code>immune up</code> starts one on this host; <code>immune enroll</code>
            {" "}
            brings another.
          </p>
        )
        : (
          <ul class="plain">
            {agents.map((agent) => <Agent key={agent.id} agent={agent} nowMs={nowMs} />)}
          </ul>
        )}
    </section>
  );
}

function Agent({ agent, nowMs }: { readonly agent: AgentView; readonly nowMs: number }): Child {
  const { online, revoked, lastSeenAt } = agent;
  const state = revoked ? "revoked" : online ? "online" : "offline";
  return (
    <li class="card agent" id={`agent-${agent.id}`}>
      <div class="row">
        <h3>{visible(agent.hostName)}</h3>
        <span class={`state state-${state}`}>{state}</span>
      </div>
      <p class="note">
        {lastSeenAt === null ? "nothing has come from it yet" : (
          <>
            last heard{" "}
            <time datetime={lastSeenAt} title={moment(lastSeenAt)}>{ago(lastSeenAt, nowMs)}</time>
          </>
        )}
      </p>
      <Ledger ledger={agent.ledger} />
      {agent.sensor.kinds.length > 0 && <Sensor sensor={agent.sensor} />}
      {agent.sensor.tiers.length > 0 && <Tiers tiers={agent.sensor.tiers} />}
    </li>
  );
}

function Ledger({ ledger }: { readonly ledger: LedgerView }): Child {
  const { made, stored, lost, certain, losses } = ledger;
  const about = certain ? "" : "≥ ";
  // What is lost stays visible however small its share is.
  const share = made === 0 ? 100 : lost === 0 ? 100 : Math.min(99, (stored / made) * 100);
  return (
    <div class="ledger">
      <dl>
        <div>
          <dt>made</dt>
          <dd title={exact(made)}>{`${about}${short(made)}`}</dd>
        </div>
        <div>
          <dt>stored</dt>
          <dd title={exact(stored)}>{short(stored)}</dd>
        </div>
        <div class={lost > 0 ? "lost" : ""}>
          <dt>lost</dt>
          <dd title={exact(lost)}>{`${about}${short(lost)}`}</dd>
        </div>
      </dl>
      <svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="bar-lost" width="100" height="4" />
        <rect class="bar-stored" width={share.toFixed(2)} height="4" />
      </svg>
      {losses.length > 0 && (
        <ul class="causes" aria-label="Lost by cause">
          {losses.map((loss) => (
            <li key={loss.cause}>
              {`${words(loss.cause)} ${loss.certain ? "" : "≥ "}${exact(loss.count)}`}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
