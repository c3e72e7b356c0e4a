import { ImmuneError } from "../../common/config/errors.ts";
import { statePaths } from "../../common/config/mod.ts";
import { readIdentity } from "./identity.ts";

/**
 * Makes the agent's folder of a host that is not enrolled, and writes what belongs there first.
 *
 * @param state State folder.
 * @param write Writes to the agent's folder, whose path it is given.
 * @returns The agent's folder.
 * @throws {ImmuneError} `ENROLL_REFUSED` when the host is enrolled already, `STATE_UNUSABLE` when
 * the folder cannot be written.
 */
export function beginFolder(state: string, write: (agent: string) => void = () => {}): string {
  const { agent } = statePaths(state);
  const identity = readIdentity(agent);
  if (identity !== undefined) {
    throw new ImmuneError(
      "ENROLL_REFUSED",
      `Cannot enrol: this host is agent "${identity.agentId}" of the hive at ` +
        `"${identity.agents}"; to leave that hive, remove "${agent}/agent.json"`,
    );
  }
  try {
    Deno.mkdirSync(agent, { recursive: true, mode: 0o700 });
    write(agent);
  } catch (cause) {
    throw unusable(agent, cause);
  }
  return agent;
}

/**
 * The error for a state folder that cannot be written.
 *
 * @param folder Its path.
 * @param cause What the system said.
 */
export function unusable(folder: string, cause: unknown): ImmuneError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ImmuneError(
    "STATE_UNUSABLE",
    `Cannot use state folder "${folder}": ${why}; name another with --state`,
    { cause },
  );
}
