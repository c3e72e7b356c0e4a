import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Child } from "hono/jsx";
import * as z from "zod";
import {
  type AuditEntry,
  type AuditPage,
  type AuditReport,
  headText,
} from "../../common/audit/mod.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import type { ApiContext, ApiEnv } from "../api/context.ts";
import { allow } from "../api/guards.ts";
import { exact, moment, visible } from "./format.ts";
import { page } from "./page.tsx";

/** Entries of a page. */
const ENTRIES_PER_PAGE = 50;

const query = z.object({ before: z.coerce.number().int().min(1).optional() });

/**
 * Adds the page of the audit log.
 *
 * @param app Where to.
 * @param api What it works with.
 */
export function addAuditPage(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  app.get("/audit", allow("read", "audit"), (c) => {
    const asked = query.safeParse(c.req.query());
    if (!asked.success) {
      throw new ImmuneError("INPUT_MALFORMED", 'Cannot show the log: "before" is no number');
    }
    const { before } = asked.data;
    const limit = ENTRIES_PER_PAGE;
    const entries = api.audit.read(before === undefined ? { limit } : { limit, before });
    // The whole log is read for it, so only the first page says it.
    const report = before === undefined ? api.audit.verify() : undefined;
    const children = <Audit {...entries} report={report} />;
    const principal = c.get("principal");
    return c.html(page({ title: "Audit", principal, path: "/audit", children }));
  });
}

function Audit({ entries, next, report }: AuditPage & {
  readonly report: AuditReport | undefined;
}): Child {
  return (
    <div class="detail">
      <h1>Audit</h1>
      {report !== undefined && <Report report={report} />}
      {entries.length === 0 ? <p class="card empty">No decision yet.</p> : (
        <ol class="plain log">
          {entries.map((entry) => <Entry key={entry.sequence} entry={entry} />)}
        </ol>
      )}
      {next !== null && (
        <p>
          <a href={`/audit?before=${next}`}>Older decisions</a>
        </p>
      )}
    </div>
  );
}

function Report({ report: { entries, head, broken } }: { readonly report: AuditReport }): Child {
  if (broken !== undefined) {
    return (
      <p class="problem" role="alert">
        {`The log is broken at entry ${broken.sequence}. ${broken.why}.`}
      </p>
    );
  }
  return (
    <p class="note">
      {`${exact(entries)} entries hang together. Head, to be noted elsewhere: `}
      <code class="whole">{headText(head)}</code>
    </p>
  );
}

function Entry({ entry }: { readonly entry: AuditEntry }): Child {
  const { actor, action, object, decision, detail = {} } = entry;
  const facts = Object.entries(detail).map(([name, value]) => `${name} ${value}`).join(" · ");
  return (
    <li class="card">
      <div class="row">
        <h2>{visible([action, object ?? ""].join(" "))}</h2>
        <span class={`state decision-${decision}`}>{decision}</span>
      </div>
      <p class="note">
        {`${exact(entry.sequence)} · `}
        <time datetime={entry.time}>{moment(entry.time)}</time>
        {` · ${visible(actor.name ?? actor.id)} (${actor.kind})`}
      </p>
      {facts !== "" && <p class="note">{visible(facts)}</p>}
    </li>
  );
}
