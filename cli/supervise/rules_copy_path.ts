/**
 * Where the hive's copy of the rules is: its user need not be able to read the rules themselves.
 *
 * @param folder State folder.
 */
export function rulesCopyIn(folder: string): string {
  return `${folder}/program/rules.json`;
}
