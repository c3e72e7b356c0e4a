import { ImmuneError, readIfThere, replaceFile } from "../../common/config/mod.ts";

/** Name of the file with the fleet's id in the hive's folder. */
export const FLEET_FILE = "fleet";
/** Top of every agent's name; a domain that never exists (RFC 2606, section 2). */
const FLEETS_DOMAIN = "immune.invalid";

/**
 * Reads the id of the hive's fleet, or makes one at first start. It stays when the authority is
 * rotated: certificates and orders name it.
 *
 * @param folder The hive's folder; it must be there.
 * @returns A UUID.
 * @throws {ImmuneError} `STATE_UNUSABLE` when the file cannot be read, written or holds something
 * else.
 */
export function openFleetId(folder: string): string {
  const path = `${folder}/${FLEET_FILE}`;
  try {
    const found = readIfThere(path)?.trim();
    if (found === undefined) {
      const made = crypto.randomUUID();
      replaceFile(path, `${made}\n`);
      return made;
    }
    if (isUuid(found)) return found;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("STATE_UNUSABLE", `Cannot use fleet id "${path}": ${why}`, { cause });
  }
  throw new ImmuneError(
    "STATE_UNUSABLE",
    `Cannot use fleet id "${path}": it is no UUID; restore the file from a backup`,
  );
}

/**
 * Whether a text is a UUID in lower case (RFC 9562, section 4).
 *
 * @param text Any text.
 */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

/**
 * The domain that all names of a fleet are in.
 *
 * @param fleetId A UUID.
 */
export function fleetDomain(fleetId: string): string {
  return `${fleetId}.${FLEETS_DOMAIN}`;
}

/**
 * The name of an agent in its certificate, beside `urn:uuid:AGENT_ID`.
 *
 * @param agentId A UUID.
 * @param fleetId A UUID.
 */
export function agentName(agentId: string, fleetId: string): string {
  return `${agentId}.${fleetDomain(fleetId)}`;
}
