import { parseAddress } from "../hive/address.ts";

/**
 * Hosts under which agents reach a hive: its certificates have to name them.
 *
 * @param addresses HOST:PORT of both listeners for agents.
 */
export function namesOf(
  addresses: { readonly agents: string; readonly enroll: string },
): string[] {
  return [addresses.agents, addresses.enroll].map((text) => parseAddress(text).hostname);
}
