import type { HerdLimits } from "../../hive/herd/mod.ts";
import type { BenchFigure, BenchResult } from "./result.ts";
import { type Attack, AttackedFleet, DAYS, HONEST, type Outcome } from "./sybil/fleet.ts";
import { median } from "./_ratio.ts";

const SEED = 20_261;
/** Fleets that each figure is the middle of. */
const RUNS = 3;
/** Honest hosts whose people vouch for whoever asks, where their number is given. */
const CARELESS = 15;
/** Most of them that are tried. */
const CARELESS_MAX = 50;
/** Most bought identities that are tried: twice the fleet. */
const BOUGHT_MAX = 2 * HONEST;

/** What is left out, one measure a line. */
const WITHOUT: Readonly<Record<string, Partial<HerdLimits>>> = {
  defaults: {},
  without_vouching: { vouchersNeeded: 0, quorumTrust: 0 },
  without_distinct_vouchers: { vouchersNeeded: 1, quorumTrust: 0.4 },
  without_voucher_budget: { vouchesPerVoucher: Number.POSITIVE_INFINITY },
  without_probation: { probationMs: 0 },
  without_drift: { driftPerDay: 0 },
  without_reports: { reportsToSuspect: Number.POSITIVE_INFINITY },
  without_quorum_share: { quorumShare: 0 },
  without_quorum: { quorumShare: 0, quorumMin: 1 },
};

/** Measures of what happens once it is published. */
const STAGES: Readonly<Record<string, Partial<HerdLimits>>> = {
  defaults: {},
  without_canary: { canaryMs: 0, canaryShare: 1 },
  without_brake: { brakeHosts: Number.POSITIVE_INFINITY, brakeShare: 2 },
  without_both: {
    canaryMs: 0,
    canaryShare: 1,
    brakeHosts: Number.POSITIVE_INFINITY,
    brakeShare: 2,
  },
};

/**
 * What it takes to publish a false antibody with bought identities: the honest hosts that must be
 * deceived however many identities are bought; with that many given, the share of bought identities
 * in the fleet and the days that go by; and the honest hosts that have it in force before it is
 * pulled back. 100 percent: not within the time, however many.
 *
 * @returns Figures by measure that is left out.
 */
export function run(): BenchResult {
  const figures: BenchFigure[] = [];
  for (const [name, limits] of Object.entries(WITHOUT)) {
    const hosts = lowest(
      CARELESS_MAX,
      (careless) => succeeds({ limits, bought: BOUGHT_MAX, careless }),
    );
    const bought = lowest(
      BOUGHT_MAX,
      (count) => succeeds({ limits, bought: count, careless: CARELESS }),
    );
    const share = bought === undefined ? 100 : 100 * bought / (HONEST + bought);
    const days = middleDay({ limits, bought: bought ?? BOUGHT_MAX, careless: CARELESS }) ?? DAYS;
    figures.push(
      { figure: `sybil_cost_${name}_hosts`, value: hosts ?? HONEST, unit: "hosts" },
      { figure: `sybil_cost_${name}_percent`, value: share, unit: "%" },
      { figure: `sybil_cost_${name}_days`, value: days, unit: "days" },
    );
  }
  for (const [name, stages] of Object.entries(STAGES)) {
    // Whoever joins counts: what is measured is what comes after it was published.
    const limits = { ...WITHOUT["without_vouching"], ...stages };
    const published = outcomes({ limits, bought: BOUGHT_MAX, careless: 0 });
    const value = median(published.map(({ hostsHit }) => 100 * hostsHit / HONEST));
    figures.push({ figure: `sybil_hosts_hit_${name}_percent`, value, unit: "%" });
  }
  return {
    workload:
      `${HONEST} honest agents, ${CARELESS} of them vouch for whoever asks, ${DAYS} days, ` +
      `no operator looks; middle of ${RUNS}`,
    seed: SEED,
    checksum: figures.map(({ value }) => value.toFixed(1)).join("/"),
    figures,
  };
}

type Tried = Omit<Attack, "seed">;

function outcomes(tried: Tried): readonly Outcome[] {
  return Array.from(
    { length: RUNS },
    (_, run) => new AttackedFleet({ ...tried, seed: SEED + run }).run(),
  );
}

function middleDay(tried: Tried): number | undefined {
  const day = median(outcomes(tried).map((outcome) => outcome.day ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(day) ? day : undefined;
}

function succeeds(tried: Tried): boolean {
  return middleDay(tried) !== undefined;
}

/** The lowest number up to a bound at which something holds, that holds from there on. */
function lowest(most: number, holds: (count: number) => boolean): number | undefined {
  if (!holds(most)) return undefined;
  let [low, high] = [-1, most];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
