/**
 * Where an agent keeps what it was ordered, and how its dead man's switch stands.
 *
 * @param folder The agent's folder.
 */
export function commandPath(folder: string): string {
  return `${folder}/command.json`;
}
