import {
  type Framework,
  tacticOf,
  type Technique,
  techniqueOf,
  type TechniqueTable,
} from "../../common/techniques/mod.ts";

/** What coverage needs of a rule. */
export interface TaggedRule {
  readonly id: string;
  readonly title: string;
  readonly tags: readonly string[];
}

/** A technique, and the rules that are tagged with it. */
export interface CoveredTechnique extends Technique {
  /** Tactics that these rules name, in the order of an attack. */
  readonly tactics: readonly string[];
  readonly rules: readonly TaggedRule[];
}

/**
 * The techniques that rules cover, older ids counted under the present ones.
 *
 * @param rules Loaded rules and correlations.
 * @param table Names and renumbered ids.
 * @returns Techniques, ATT&CK first, by id.
 */
export function coverageOf(
  rules: readonly TaggedRule[],
  table: TechniqueTable,
): readonly CoveredTechnique[] {
  const found = new Map<string, { technique: Technique; rules: Set<TaggedRule> }>();
  for (const rule of rules) {
    for (const tag of rule.tags) {
      const technique = techniqueOf(tag, table);
      if (technique === undefined) continue;
      const key = `${technique.framework === "attack" ? 0 : 1} ${technique.id}`;
      const entry = found.get(key) ?? { technique, rules: new Set() };
      entry.rules.add(rule);
      found.set(key, entry);
    }
  }
  return [...found].sort(([a], [b]) => a < b ? -1 : 1).map(([, { technique, rules: tagged }]) => ({
    ...technique,
    tactics: tacticsOf([...tagged], { framework: technique.framework, table }),
    rules: [...tagged],
  }));
}

function tacticsOf(
  rules: readonly TaggedRule[],
  { framework, table }: { readonly framework: Framework; readonly table: TechniqueTable },
): readonly string[] {
  const named = new Set(
    rules.flatMap(({ tags }) => tags).flatMap((tag) => {
      const found = tacticOf(tag, table);
      return found?.framework === framework ? [found.tactic] : [];
    }),
  );
  const { otherTactics, tactics } = table[framework];
  return [...otherTactics, ...tactics].filter((tactic) => named.has(tactic));
}
