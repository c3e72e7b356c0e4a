import { ImmuneError } from "../../common/config/errors.ts";
import { ALERT_LOG_SOURCE } from "../../common/sigma/alert_fields.ts";
import { unheardMembers } from "../../common/sigma/correlation/mod.ts";
import {
  compileRules,
  type CorrelationRule,
  readRuleSources,
  type RuleSource,
} from "../../common/sigma/mod.ts";
import type { RulesPlace } from "./messages.ts";

/** Rules as the hive's detection needs them. */
export interface FleetRules {
  /** Rule image for the engine, and the names of its fields. */
  readonly image: Uint8Array;
  readonly fields: readonly string[];
  readonly rules: readonly { readonly id: string }[];
  readonly correlations: readonly CorrelationRule[];
  /** Places in `rules` of those that judge alerts, and the bit map of their log source. */
  readonly alertRules: ReadonlySet<number>;
  readonly alertSources: Uint8Array;
  /** SHA-256 of the image. */
  readonly hash: string;
  /** One line for each correlation that waits in vain, and how many rules did not load. */
  readonly problems: readonly string[];
}

/**
 * Reads and compiles rules.
 *
 * @param place Where they are.
 * @throws {ImmuneError} `FILE_UNREADABLE` when they cannot be read.
 */
export async function loadFleetRules(place: RulesPlace): Promise<FleetRules> {
  return fleetRules("copy" in place ? await readCopy(place.copy) : await readAll(place.paths));
}

/**
 * Compiles rules.
 *
 * @param sources Their texts.
 */
export function fleetRules(sources: readonly RuleSource[]): FleetRules {
  const { image, fields, rules, correlations, logSourceBits, hash, rejected } = compileRules(
    sources,
  );
  const { product, service } = ALERT_LOG_SOURCE;
  const alertRules = rules.flatMap(({ logSource }, at) =>
    logSource.product === product && logSource.service === service ? [at] : []
  );
  const refused = rejected.length === 0
    ? []
    : [`${rejected.length} rules did not load; "immune rules check" names them`];
  const unheard = unheardMembers(correlations).map(({ rule: { path, line, id }, reference }) =>
    `${path}:${line}: Correlation "${id}" waits for "${reference}" in vain: it raises no alerts`
  );
  return {
    image,
    fields,
    rules: rules.map(({ id }) => ({ id })),
    correlations,
    alertRules: new Set(alertRules),
    alertSources: logSourceBits(ALERT_LOG_SOURCE),
    hash,
    problems: [...refused, ...unheard],
  };
}

async function readAll(paths: readonly string[]): Promise<readonly RuleSource[]> {
  const sources: RuleSource[] = [];
  for (const path of paths) sources.push(...await readRuleSources(path));
  return sources;
}

/** What `up` put down for a hive that may not read the rules themselves. */
async function readCopy(path: string): Promise<readonly RuleSource[]> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("FILE_UNREADABLE", `Cannot read rules at "${path}": ${why}`, { cause });
  }
}
