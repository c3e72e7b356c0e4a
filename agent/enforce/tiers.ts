import type { Entry } from "./policy.ts";
import { type Tier, TIER_NAMES, type TierTrial, works } from "./trial.ts";

/**
 * The tiers that a policy is given to, as this host has them.
 *
 * @param trials What was tried.
 * @param entries Entries of the policy.
 * @returns Tiers, the strongest first.
 */
export function chooseTiers(
  trials: readonly TierTrial[],
  entries: readonly Entry[],
): readonly Tier[] {
  const has = (action: Entry["action"]): boolean =>
    entries.some((entry) => entry.action === action);
  const chosen = new Set<Tier>();
  const use = (tier: Tier, action: Entry["action"]): boolean => {
    if (!works(trials, { tier, action })) return false;
    chosen.add(tier);
    return true;
  };
  if (has("exec")) {
    const refused = use("lsm", "exec");
    // A hash is known before the first run by fanotify alone.
    if (!refused || entries.some(({ sha256 }) => sha256.length > 0)) use("fanotify", "exec");
    if (!refused) use("signal", "exec");
  }
  if (has("connect") || has("bind")) {
    use("lsm", "connect");
    use("cgroup", "connect");
  }
  if (has("open") && !use("lsm", "open")) use("fanotify", "open");
  return TIER_NAMES.filter((tier) => chosen.has(tier));
}

/** How an entry holds on this host. */
export interface Hold {
  /** Tiers that it holds by; empty: it does not. */
  readonly tiers: readonly Tier[];
  /** What does not hold of it, a line each. */
  readonly limits: readonly string[];
}

/**
 * How one entry holds, honestly.
 *
 * @param entry The entry.
 * @param trials What was tried on this host.
 */
export function holdOf(entry: Entry, trials: readonly TierTrial[]): Hold {
  const of = (...tiers: readonly Tier[]): readonly Tier[] =>
    tiers.filter((tier) => works(trials, { tier, action: actionOf(entry) }));
  switch (entry.action) {
    case "exec":
      return execHold(entry, of);
    case "open":
      return openHold(entry, of("lsm").length > 0 ? ["lsm"] : of("fanotify"));
    default: {
      const tiers = of("lsm", "cgroup");
      return tiers.length > 0
        ? { tiers, limits: [] }
        : { tiers, limits: ["no tier here refuses connections"] };
    }
  }
}

/** The action under which a tier was tried. */
function actionOf({ action }: Entry): Entry["action"] {
  return action === "bind" ? "connect" : action;
}

function execHold(entry: Entry, of: (...tiers: readonly Tier[]) => readonly Tier[]): Hold {
  const lsm = of("lsm");
  const hashes = entry.sha256.length > 0;
  const isOnlyHash = hashes && entry.paths.length + entry.trees.length + entry.files.length === 0;
  const fanotify = lsm.length === 0 || hashes ? of("fanotify") : [];
  const tiers = [...lsm, ...fanotify, ...(lsm.length === 0 ? of("signal") : [])];
  const limits: string[] = [];
  if (tiers.length === 0) limits.push("no tier here refuses programs");
  if (hashes && fanotify.length === 0) {
    limits.push("sha256 does not hold: a hash is known before a first run by fanotify alone");
  }
  if (!tiers.includes("lsm") && tiers.includes("signal")) {
    limits.push(
      hashes
        ? "by signal: sha256 does not hold for a first run; of a script only its interpreter is seen"
        : "by signal: of a script only its interpreter is seen",
    );
  }
  if (!tiers.includes("lsm") && tiers.includes("fanotify")) {
    limits.push("by fanotify: a program in memory alone (memfd) is not seen, by signal it is");
  }
  return { tiers: isOnlyHash && fanotify.length === 0 ? [] : tiers, limits };
}

function openHold(entry: Entry, tiers: readonly Tier[]): Hold {
  if (tiers.length === 0) return { tiers, limits: ["no tier here refuses opens"] };
  if (tiers[0] === "lsm") return { tiers, limits: [] };
  if (!entry.access.includes("read")) {
    return { tiers: [], limits: ["for writing alone it does not hold: fanotify tells no access"] };
  }
  const limits: string[] = [];
  if (!entry.access.includes("write")) {
    limits.push("by fanotify: opens for writing are refused too, it does not tell them apart");
  }
  if (entry.trees.length > 0) {
    limits.push(
      "by fanotify: links and moves out of a directory are not refused, lsm refuses them",
    );
  }
  return { tiers, limits };
}
