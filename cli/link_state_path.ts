/**
 * Where an agent says how its link stands.
 *
 * @param folder The agent's folder.
 */
export function linkStatePath(folder: string): string {
  return `${folder}/link.json`;
}
