import { ANTIBODY_RULE_PREFIX, type Entry } from "../../common/herd/antibody.ts";
import type { Alert } from "../../common/wire/mod.ts";
import type { Evidence } from "./ledger.ts";
import type { HerdLimits } from "./limits.ts";

/** Most texts that are taken out of one alert. */
const TEXTS_MAX = 256;
/** Deepest member of an alert that is looked at. */
const DEPTH_MAX = 6;
/** Members that say what happened; the others say what was thought of it. */
const EVENT_MEMBERS = ["process", "file", "destination", "source", "dns", "url", "network"];

/**
 * What the herd needs of an alert.
 *
 * @param alert The alert.
 * @param agentId Agent that delivered it.
 */
export function evidenceOf(alert: Alert, agentId: string): Evidence {
  return {
    alertId: alert.id,
    agentId,
    hostId: alert.host.id,
    ruleId: alert.rule.id,
    timeMs: Date.parse(alert.time),
    texts: textsOf(alert as unknown as Readonly<Record<string, unknown>>),
  };
}

/**
 * Texts and numbers of what happened, a bounded number of them.
 *
 * @param document An alert or an event, in ECS form.
 */
export function textsOf(document: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const texts = new Set<string>();
  for (const name of EVENT_MEMBERS) collect(document[name], { texts, depth: 0 });
  return texts;
}

/**
 * Whether an alert shows an entry: it is recent, and not itself the match of an antibody.
 *
 * @param evidence What is known of the alert.
 * @param options `entry`: what it is to show; a rule is shown by any detection.
 */
export function shows(
  { ruleId, timeMs, texts }: Evidence,
  { entry, nowMs, limits }: {
    readonly entry: Entry;
    readonly nowMs: number;
    readonly limits: HerdLimits;
  },
): boolean {
  if (ruleId.startsWith(ANTIBODY_RULE_PREFIX)) return false;
  if (nowMs - timeMs > limits.evidenceAgeMs) return false;
  return entry.type === "rule" || texts.has(entry.value);
}

function collect(
  given: unknown,
  { texts, depth }: { readonly texts: Set<string>; readonly depth: number },
): void {
  if (texts.size >= TEXTS_MAX || depth > DEPTH_MAX) return;
  if (typeof given === "string" || typeof given === "number") texts.add(String(given));
  else if (typeof given === "object" && given !== null) {
    for (const member of Object.values(given)) collect(member, { texts, depth: depth + 1 });
  }
}
