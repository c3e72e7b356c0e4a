import { endpointText, subjectText } from "../../common/record/ecs_text.ts";
import type { Alert, AlertCorrelation } from "../../common/wire/mod.ts";
import { type Painter, type Style, visible } from "./terminal.ts";

const STYLE_OF: Readonly<Record<Alert["severity"], Style>> = {
  informational: "dim",
  low: "cyan",
  medium: "yellow",
  high: "red",
  critical: "magenta",
};

/** Longest command line that is shown, in characters. */
const COMMAND_LINE_MAX = 300;

/**
 * An alert for eyes: one line that says what, then what ran and who started it.
 *
 * @param alert The alert.
 * @param paint Colours of the stream.
 * @returns Lines with their ends.
 */
export function renderAlert(alert: Alert, paint: Painter): string {
  const level = alert.severity.toUpperCase().padEnd(8);
  const lines = [
    `${paint("dim", alert.time)} ${paint(STYLE_OF[alert.severity], level)} ` +
    `${paint("bold", visible(alert.rule.title))} ${paint("dim", alert.rule.id)}`,
  ];
  const { process } = alert;
  if (process !== undefined) {
    lines.push(`  process  ${program(process)} ${paint("dim", `pid ${process.pid}`)}`);
    if (process.command_line !== undefined) {
      lines.push(`  command  ${visible(cut(process.command_line))}`);
    }
    if (process.parent !== undefined) {
      lines.push(
        `  parent   ${program(process.parent)} ${paint("dim", `pid ${process.parent.pid}`)}`,
      );
    }
  }
  const target = targetOf(alert);
  if (target !== undefined) lines.push(`  target   ${visible(target)}`);
  if (alert.enforcement !== undefined) lines.push(`  verdict  ${visible(verdictOf(alert))}`);
  if (alert.correlation !== undefined) lines.push(...foundLines(alert.correlation, paint));
  return lines.join("\n") + "\n";
}

/** What a correlation found: what its hits have in common, and the hosts they are from. */
function foundLines(found: AlertCorrelation, paint: Painter): string[] {
  const group = Object.entries(found.group).map(([name, value]) => `${name} ${cut(value)}`);
  const hosts = new Set(found.members.flatMap(({ host }) => host === undefined ? [] : [host.name]));
  const counted = `${found.type} ${found.value}, ${found.hits} hits from ${found.first}`;
  return [
    `  found    ${visible([...group, counted].join(", "))}`,
    ...(hosts.size === 0 ? [] : [`  hosts    ${visible([...hosts].join(", "))}`]),
    ...(hosts.size === 0
      ? []
      : found.members.map(({ event, rule }) =>
        paint("dim", `  alert    ${visible(event)} ${visible(rule)}`)
      )),
  ];
}

function program(process: { readonly executable?: string | undefined }): string {
  return visible(process.executable ?? "(not known)");
}

function verdictOf({ enforcement }: Alert): string {
  const { outcome, tier, verified = false, finding = "" } = enforcement ?? {};
  return `${outcome} by ${tier}, ${verified ? "verified" : "not verified"}: ${finding}`;
}

function targetOf(alert: Alert): string | undefined {
  const { file, destination, source } = alert;
  return subjectText(alert) ?? fileText(file) ?? endpointText(destination ?? source);
}

function fileText(file: Alert["file"]): string | undefined {
  return file?.opened_as === undefined ? file?.path : `${file.path} opened as ${file.opened_as}`;
}

function cut(text: string): string {
  return text.length <= COMMAND_LINE_MAX ? text : `${text.slice(0, COMMAND_LINE_MAX)} …`;
}
