import { type Antibody, antibodyId, type AntibodyType } from "./antibody.ts";

/** When everything here happens. */
export const NOW_MS = Date.UTC(2026, 10, 22, 12);
/** How long an antibody here holds, in milliseconds. */
export const LIFE_MS = 3_600_000;

/** A rule that an antibody may be. */
export const RULE = `title: A dropper
id: 11111111-2222-4333-8444-555555555555
logsource: { product: linux, category: process_creation }
detection:
  selection: { CommandLine|contains: "xmrig --donate" }
  condition: selection
`;

/** An antibody that holds, but for what the changes say. */
// deno-lint-ignore immune/argument-count -- what it is of, and what differs
export function antibody(
  type: AntibodyType,
  value: string,
  changes: Partial<Antibody> = {},
): Antibody {
  return {
    id: antibodyId({ type, value }),
    type,
    value,
    action: "watch",
    reason: "seen in an attack",
    evidence: ["0f".repeat(16)],
    madeMs: NOW_MS,
    expiresMs: NOW_MS + LIFE_MS,
    ...changes,
  };
}
