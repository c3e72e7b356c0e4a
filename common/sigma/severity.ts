/** Sigma's levels and their severity, 1 to 5. */
export const SEVERITIES = {
  informational: 1,
  low: 2,
  medium: 3,
  high: 4,
  critical: 5,
} as const;

/** Sigma's level of a rule. */
export type Level = keyof typeof SEVERITIES;
