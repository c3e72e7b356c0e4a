import type { Child } from "hono/jsx";
import { TIER_COUNTS } from "../../common/wire/mod.ts";
import type { AgentView, LedgerView, SensorView } from "../api/agents.ts";
import { ago, exact, moment, short, visible, words } from "./format.ts";

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

/** What its hooks saw, and what became of it: folded away, as few look at it. */
function Sensor({ sensor: { kinds, missed } }: { readonly sensor: SensorView }): Child {
  const lost = (row: SensorView["kinds"][number]): number =>
    row.ringFull + row.oversized + row.unreadable;
  return (
    <details class="sensor">
      <summary>What its sensor saw</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">kind</th>
            <th scope="col">seen</th>
            <th scope="col">sent</th>
            <th scope="col">filtered</th>
            <th scope="col">folded</th>
            <th scope="col">lost</th>
          </tr>
        </thead>
        <tbody>
          {kinds.map((row) => (
            <tr key={row.kind}>
              <th scope="row">{words(row.kind)}</th>
              <td title={exact(row.seen)}>{short(row.seen)}</td>
              <td title={exact(row.submitted)}>{short(row.submitted)}</td>
              <td title={exact(row.filtered)}>{short(row.filtered)}</td>
              <td title={exact(row.folded)}>{short(row.folded)}</td>
              <td title={exact(lost(row))}>{short(lost(row))}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {missed.map(({ program, count }) => (
        <p key={program} class="note">{`${visible(program)} missed ${exact(count)} runs`}</p>
      ))}
    </details>
  );
}

/** What its enforcement did, tier by tier. */
function Tiers({ tiers }: { readonly tiers: SensorView["tiers"] }): Child {
  return (
    <details class="sensor">
      <summary>What it refused</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">tier</th>
            {TIER_COUNTS.map((name) => <th key={name} scope="col">{name}</th>)}
          </tr>
        </thead>
        <tbody>
          {tiers.map((row) => (
            <tr key={row.tier}>
              <th scope="row">{row.hosts > 0 ? row.tier : `${row.tier}, not in force`}</th>
              {TIER_COUNTS.map((name) => (
                <td key={name} title={exact(row[name])}>{short(row[name])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </details>
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
