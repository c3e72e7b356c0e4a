/** Files of an identity in the agent's folder. */
export interface IdentityPaths {
  /** What is pinned (PEM): the hive's certificate and the one that will follow it. */
  readonly hivePem: string;
  /** The agent's certificate (PEM). */
  readonly agentPem: string;
  /** Its key (PKCS #8, PEM); it never leaves the host. */
  readonly agentKey: string;
  /** Ids, address, and the hashes of the other three: written last. */
  readonly agentJson: string;
}

/** The files that `agent.json` names by their hashes. */
export const IDENTITY_FILES = ["agentKey", "agentPem", "hivePem"] as const;

/**
 * Where an identity lies.
 *
 * @param folder The agent's folder.
 * @returns Paths.
 */
export function identityPaths(folder: string): IdentityPaths {
  return {
    hivePem: `${folder}/hive.pem`,
    agentPem: `${folder}/agent.pem`,
    agentKey: `${folder}/agent.key`,
    agentJson: `${folder}/agent.json`,
  };
}

/**
 * All that a reader of an identity looks at.
 *
 * @param folder The agent's folder.
 * @returns Paths; those that wait to be put in place too.
 */
export function identityFiles(folder: string): readonly string[] {
  const paths = identityPaths(folder);
  const named = IDENTITY_FILES.map((name) => paths[name]);
  return [paths.agentJson, ...named, ...named.map(next)];
}

/**
 * Where the next file waits until it is put in place.
 *
 * @param path Its place.
 */
export function next(path: string): string {
  return `${path}.next`;
}
