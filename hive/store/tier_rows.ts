import type { DatabaseSync } from "node:sqlite";
import { TIER_COUNTS, type TierName, type TierTally } from "../../common/wire/mod.ts";
import { byAgent, integer, text } from "./rows.ts";

/** What a tier of enforcement did on a host since it enrolled. */
export interface TierTotals extends TierTally {
  /** True when the agent last said that it is in force. */
  readonly inForce: boolean;
}

/** Adds up what the tiers of the agents' enforcement did. */
export class TierRows {
  readonly #sql: ReturnType<typeof statements>;

  /** @param database Open, of this version's schema. */
  constructor(database: DatabaseSync) {
    this.#sql = statements(database);
  }

  /**
   * Adds what tiers did since the agent last said so; those that it does not name hold no more.
   *
   * @param tiers Those in force.
   * @param whose `agent`: row of the agent.
   */
  add(tiers: readonly TierTally[], { agent }: { readonly agent: number }): void {
    this.#sql.end.run(agent);
    for (const row of tiers) {
      this.#sql.add.run(agent, row.tier, ...TIER_COUNTS.map((name) => row[name]));
    }
  }
}

/**
 * What the tiers of the agents' enforcement did.
 *
 * @param database Open, of this version's schema.
 * @returns By row of the agent.
 */
export function readTiers(database: DatabaseSync): ReadonlyMap<number, readonly TierTotals[]> {
  return byAgent(database.prepare("SELECT * FROM tiers ORDER BY tier").all(), (row) => {
    const counts = TIER_COUNTS.map((name) => [name, integer(row, name)] as const);
    return {
      // Nothing else is written there.
      tier: text(row, "tier") as TierName,
      inForce: integer(row, "in_force") === 1,
      ...Object.fromEntries(counts) as Omit<TierTally, "tier">,
    };
  });
}

// deno-lint-ignore explicit-function-return-type
function statements(database: DatabaseSync) {
  // An agent names any count: the sum stops where a number is no longer exact.
  const sum = (column: string): string =>
    `${column} = min(${column} + excluded.${column}, ${Number.MAX_SAFE_INTEGER})`;
  return {
    end: database.prepare("UPDATE tiers SET in_force = 0 WHERE agent = ? AND in_force = 1"),
    add: database.prepare(
      `INSERT INTO tiers (agent, tier, in_force, ${TIER_COUNTS.join(", ")})
      VALUES (?, ?, 1, ${TIER_COUNTS.map(() => "?").join(", ")})
      ON CONFLICT DO UPDATE SET in_force = 1, ${TIER_COUNTS.map(sum).join(", ")}`,
    ),
  };
}
