import type { Level } from "../sigma/severity.ts";

const LEVELS: Readonly<Record<string, Level>> = {
  informational: "informational",
  info: "informational",
  low: "low",
  medium: "medium",
  moderate: "medium",
  high: "high",
  critical: "critical",
};

/**
 * A severity as feeds write it.
 *
 * @param text As `High`.
 * @returns The level, or `undefined` when it is none.
 */
export function levelOf(text: string): Level | undefined {
  const name = text.trim().toLowerCase();
  return Object.hasOwn(LEVELS, name) ? LEVELS[name] : undefined;
}
