import { ImmuneError } from "../../common/config/errors.ts";
import { type Antibody, antibodyRuleId } from "../../common/herd/antibody.ts";
import { HERD_SOURCE, indicatorsOf, rulesOf } from "../../common/herd/detect.ts";
import { EXPIRED } from "../../common/herd/lint.ts";
import { badRule } from "../../common/herd/rule_lint.ts";
import { readAntibodySet, type RefusedEntry } from "../../common/herd/set.ts";
import { hasIndicators, IndicatorStore } from "../../common/indicators/store.ts";
import type { TakenAntibodies, TakeRequest } from "./messages.ts";
import { SetFolder } from "./set_folder.ts";

/**
 * Reads the sets that a host is to have with its own lint, and makes of them what finds: indicators
 * in the host's store, rules in a folder. What the herd had there before goes. Done again it comes
 * to the same, so that whatever ends it is made good by the next time.
 *
 * @param request Which sets, and where things are.
 * @returns What is on the disk then.
 * @throws {ImmuneError} `NOT_FOUND` when a set is not here, `INPUT_MALFORMED` when one is none,
 * `STATE_LOCKED` while another process changes the indicators, `STATE_UNUSABLE`.
 */
export function takeAntibodies(request: TakeRequest): TakenAntibodies {
  const folder = new SetFolder(request.agent);
  const { antibodies, refused } = counting(folder, request);
  const rules = rulesOf(antibodies);
  const indicators = putIndicators(antibodies, request);
  folder.putRules(rules);
  const { fleet, host } = request.wanted;
  folder.keepOnly(new Set([fleet, host].filter((hash) => hash !== null)));
  const ends = antibodies.map(({ expiresMs }) => expiresMs);
  return {
    ids: antibodies.map(({ id }) => id),
    indicators,
    ruleIds: antibodies.filter(({ type }) => type === "rule" || type === "port")
      .map(({ id }) => antibodyRuleId(id)),
    refused,
    nextExpiryMs: ends.length === 0 ? null : Math.min(...ends),
  };
}

/** Those of both sets that count: each once, as it was made last. */
function counting(
  folder: SetFolder,
  { wanted, own, nowMs }: TakeRequest,
): { readonly antibodies: readonly Antibody[]; readonly refused: readonly RefusedEntry[] } {
  const byId = new Map<string, Antibody>();
  const refused: RefusedEntry[] = [];
  for (const hash of [wanted.fleet, wanted.host]) {
    if (hash === null) continue;
    const set = readAntibodySet(bytesOf(folder, hash), { nowMs, own, rule: badRule });
    for (const antibody of set.antibodies) {
      const before = byId.get(antibody.id);
      if (before === undefined || before.madeMs < antibody.madeMs) byId.set(antibody.id, antibody);
    }
    // What has run out since it was sent is nothing to tell.
    refused.push(...set.refused.filter(({ message }) => message !== EXPIRED));
  }
  return { antibodies: [...byId.values()], refused };
}

function bytesOf(folder: SetFolder, hash: string): Uint8Array {
  const bytes = folder.read(hash);
  if (bytes !== undefined) return bytes;
  throw new ImmuneError("NOT_FOUND", `Cannot take set "${hash}": it is not here`);
}

function putIndicators(
  antibodies: readonly Antibody[],
  { indicators: folder, nowMs }: TakeRequest,
): number {
  const indicators = indicatorsOf(antibodies, nowMs);
  // A host on which nothing is listed is not given a store for nothing.
  if (indicators.length === 0 && !hasIndicators(folder)) return 0;
  using store = IndicatorStore.open(folder);
  const had = store.set.sources.get(HERD_SOURCE) ?? 0;
  if (indicators.length === 0 && had === 0) return 0;
  store.set.withdraw({ source: HERD_SOURCE });
  store.set.add(indicators, nowMs);
  store.save();
  return store.set.sources.get(HERD_SOURCE) ?? 0;
}
