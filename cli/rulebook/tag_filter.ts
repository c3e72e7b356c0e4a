import { tacticOf, techniqueOf, type TechniqueTable } from "../../common/techniques/mod.ts";

/** What is looked for among a rule's tags. */
export interface TagQuery {
  /** A tag, or a technique's id without the framework's name. */
  readonly tag: string;
  readonly table: TechniqueTable;
}

/**
 * Tells whether a rule has a tag. Case does not count, older ids count as the present ones, and a
 * technique stands for its sub-techniques.
 *
 * @param tags Tags of a rule.
 * @param query What is looked for.
 * @returns True when one of the tags is it.
 */
export function hasTag(tags: readonly string[], { tag, table }: TagQuery): boolean {
  const given = tag.toLowerCase();
  const names = [given, `attack.${given}`, `atlas.${given}`];
  const technique = names.map((name) => techniqueOf(name, table)).find((found) => found);
  if (technique !== undefined) {
    return tags.some((each) => {
      const { framework, id = "" } = techniqueOf(each, table) ?? {};
      if (framework !== technique.framework) return false;
      return id === technique.id || id.startsWith(`${technique.id}.`);
    });
  }
  const tactics = names.flatMap((name) => tacticOf(name, table) ?? []);
  return tags.some((each) => {
    const { framework, tactic } = tacticOf(each, table) ?? {};
    return each.toLowerCase() === given ||
      tactics.some((wanted) => wanted.framework === framework && wanted.tactic === tactic);
  });
}
