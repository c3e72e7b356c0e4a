// The field names that alerts have beside those of their event. Rules with the log source of alerts
// (`product: immune, service: alert`) may name them, and correlations over all hosts.

/** Log source of alerts, as rules have it. */
export const ALERT_LOG_SOURCE = { product: "immune", service: "alert" } as const;

/** Path in an alert's document of each field that only alerts have. */
export const ALERT_FIELDS = {
  HostId: "host.id",
  HostName: "host.name",
  RuleId: "rule.id",
  RuleTitle: "rule.title",
  /** All of them, as a JSON list. */
  RuleTags: "rule.tags",
  RuleLevel: "severity",
} as const;

/**
 * Looks up a field of alerts by its name.
 *
 * @param name Name as a rule has it; case counts.
 * @returns Its path, or `undefined` when alerts have no field of this name.
 */
export function alertField(name: string): string | undefined {
  return Object.hasOwn(ALERT_FIELDS, name)
    ? ALERT_FIELDS[name as keyof typeof ALERT_FIELDS]
    : undefined;
}
