import type { Child } from "hono/jsx";
import type { AlertCorrelation, AlertCorrelationMember } from "../../common/wire/mod.ts";
import { exact, moment, visible, words } from "./format.ts";

/** Characters of a value that hits have in common. */
const VALUE_MAX = 240;

/**
 * What a correlation found: what its hits have in common, and the hits. Those of a correlation over
 * hosts are alerts, and lead to them.
 *
 * @param props What it found.
 */
export function Found({ found }: { readonly found: AlertCorrelation }): Child {
  const { members, hits, type, value, first, last } = found;
  return (
    <section class="card" aria-labelledby="found-title">
      <h2 id="found-title">What led to it</h2>
      <dl class="facts">
        <Fact name={words(type)}>{exact(value)}</Fact>
        {Object.entries(found.group).map(([name, shared]) => (
          <Fact key={name} name={name}>{visible(shared, { max: VALUE_MAX })}</Fact>
        ))}
        <Fact name="From">{moment(first)}</Fact>
        <Fact name="To">{moment(last)}</Fact>
      </dl>
      <ol class="causes">
        {members.map((member) => <Member key={member.event} member={member} />)}
      </ol>
      {hits > members.length && (
        <p class="note">{`These are ${members.length} of ${exact(hits)}.`}</p>
      )}
    </section>
  );
}

/** Ids of alerts; those of records have slashes. */
function isAlert({ event }: AlertCorrelationMember): boolean {
  return /^[0-9a-f]{32}$/.test(event);
}

function Member({ member }: { readonly member: AlertCorrelationMember }): Child {
  const { event, host, rule, time } = member;
  const name = `${moment(time)} · ${visible(host?.name ?? rule)}`;
  return <li>{isAlert(member) ? <a href={`/alerts/${event}`}>{name}</a> : name}</li>;
}

function Fact({ name, children }: { readonly name: string; readonly children?: Child }): Child {
  return (
    <div>
      <dt>{visible(name)}</dt>
      <dd>{children}</dd>
    </div>
  );
}
