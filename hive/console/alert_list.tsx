import type { Child } from "hono/jsx";
import type { Alert } from "../../common/wire/mod.ts";
import { ago, moment, visible } from "./format.ts";
import { Severity } from "./severity.tsx";

/** Characters of a command line in the list. */
const COMMAND_MAX = 240;

/**
 * Alerts, newest first.
 *
 * @param props Alerts, whether there are more, and now as Unix time in milliseconds.
 */
export function AlertList({ alerts, hasMore, nowMs }: {
  readonly alerts: readonly Alert[];
  readonly hasMore: boolean;
  readonly nowMs: number;
}): Child {
  return (
    <section class="alerts" aria-labelledby="alerts-title">
      <h2 id="alerts-title">Alerts</h2>
      {alerts.length === 0
        ? <p class="card empty">All quiet. An alert shows up here by itself.</p>
        : (
          <ol class="plain">
            {alerts.map((alert) => <AlertItem key={alert.id} alert={alert} nowMs={nowMs} />)}
          </ol>
        )}
      {hasMore && (
        <p class="note">
          {`The newest ${alerts.length}. `}
          <code>immune alerts --last 7d</code> has the rest.
        </p>
      )}
    </section>
  );
}

function AlertItem({ alert, nowMs }: { readonly alert: Alert; readonly nowMs: number }): Child {
  const { process } = alert;
  return (
    <li id={`alert-${alert.id}`} class={`card alert level-${alert.severity}`}>
      <div class="row">
        <h3>
          <a href={`/alerts/${alert.id}`}>{visible(alert.rule.title)}</a>
        </h3>
        <Severity level={alert.severity} />
      </div>
      {process?.command_line !== undefined && (
        <code class="command">{visible(process.command_line, { max: COMMAND_MAX })}</code>
      )}
      <p class="note">
        <time datetime={alert.time} title={moment(alert.time)}>{ago(alert.time, nowMs)}</time>
        <span>{visible(alert.host.name)}</span>
        {process !== undefined && (
          <span>{`${visible(programName(process))} (pid ${process.pid})`}</span>
        )}
      </p>
    </li>
  );
}

function programName({ name, executable }: NonNullable<Alert["process"]>): string {
  return name ?? executable?.slice(executable.lastIndexOf("/") + 1) ?? "process";
}
