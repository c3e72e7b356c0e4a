import type { Child } from "hono/jsx";
import type { HtmlEscapedString } from "hono/utils/html";
import type { ProcessTree } from "../api/process_tree.ts";
import { endpointText } from "../../common/record/ecs_text.ts";
import type { Alert } from "../../common/wire/mod.ts";
import type { Principal } from "../operators/mod.ts";
import { moment, visible } from "./format.ts";
import { Found } from "./found.tsx";
import { page } from "./page.tsx";
import { Severity } from "./severity.tsx";
import { Tree } from "./tree.tsx";

/**
 * The page of one alert.
 *
 * @param alert The alert.
 * @param options Its process tree, absent when it names no process; who looks.
 */
export function alertPage(
  alert: Alert,
  options: { readonly tree: ProcessTree | undefined; readonly principal: Principal },
): HtmlEscapedString | Promise<HtmlEscapedString> {
  return page({
    title: visible(alert.rule.title),
    principal: options.principal,
    children: <AlertDetail alert={alert} tree={options.tree} />,
  });
}

/** What is known of who wrote a line of a log. */
const WRITERS: Readonly<Record<string, string>> = {
  unknown: "not known: whoever may log may have written it",
  proven: "the program that it names",
  other: "another program than it names",
};

function AlertDetail({ alert, tree }: {
  readonly alert: Alert;
  readonly tree: ProcessTree | undefined;
}): Child {
  const { rule } = alert;
  return (
    <article class="detail">
      <p class="back">
        <a href="/">← All alerts</a>
      </p>
      <header class={`card alert level-${alert.severity}`}>
        <div class="row">
          <h1>{visible(rule.title)}</h1>
          <Severity level={alert.severity} />
        </div>
        {rule.description !== undefined && <p>{visible(rule.description)}</p>}
        {rule.tags !== undefined && rule.tags.length > 0 && (
          <ul class="causes" aria-label="Tags">
            {rule.tags.map((tag) => <li key={tag}>{visible(tag)}</li>)}
          </ul>
        )}
        <Facts facts={factsOf(alert)} />
      </header>
      {alert.correlation !== undefined && <Found found={alert.correlation} />}
      {tree !== undefined && <Tree tree={tree} />}
      <details class="card">
        <summary>The whole alert</summary>
        <pre tabindex={0} aria-label="The alert as JSON">{JSON.stringify(alert, null, 2)}</pre>
      </details>
    </article>
  );
}

function Facts({ facts }: { readonly facts: readonly (readonly [string, string])[] }): Child {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{visible(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

function factsOf(alert: Alert): readonly (readonly [string, string])[] {
  const { process, user, file, destination, source, rule } = alert;
  const { authentication, log, message, tamper } = alert;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["Time", moment(alert.time)],
    ["Host", alert.host.name],
    ["Event", alert.event.action],
    ["User", user === undefined ? undefined : userText(user)],
    ["Program", process?.executable],
    ["Working directory", process?.working_directory],
    ["File", file?.path],
    ["Opened as", file?.opened_as],
    ["Acting as", user?.effective?.name],
    ["Service", authentication?.service],
    ["Method", authentication?.method],
    ["Terminal", authentication?.terminal],
    ["Command", authentication?.command],
    ["Line", alert.message],
    ["Written by", log === undefined ? undefined : WRITERS[log.writer] ?? log.writer],
    ["Tampered with", tamper?.object],
    ["How", tamper?.detail],
    ["Put right", tamper === undefined ? undefined : tamper.restored ? "yes" : "no"],
    ["Destination", endpointText(destination)],
    [message === undefined ? "Local address" : "Came from", endpointText(source)],
    ["Rule", rule.id],
    ["Rule set", rule.ruleset?.slice(0, 16)],
  ];
  return facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined);
}

function userText({ id, name }: NonNullable<Alert["user"]>): string {
  if (name === undefined) return `uid ${id}`;
  // A log names users that the host may not have: their id is the name then.
  return id === name ? name : `${name} (uid ${id})`;
}
