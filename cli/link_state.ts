import * as z from "zod";
import type { LinkStatus } from "../common/link/link.ts";
import { readIfThere } from "../common/config/durable_file.ts";
import { linkStatePath } from "./link_state_path.ts";

const stateSchema = z.object({
  state: z.enum(["DISCONNECTED", "CONNECTING", "HANDSHAKE", "CONNECTED", "ERROR"]),
  reason: z.string().max(1000).optional(),
  since: z.iso.datetime(),
});
/** How this host's link to its hive stood when it last changed. */
export type LinkStateFile = z.infer<typeof stateSchema>;

/**
 * Says how the link stands, for whoever asks while it runs. What cannot be written is not said:
 * delivery does not depend on it.
 *
 * @param folder The agent's folder.
 * @param status As the link reports it.
 */
export function writeLinkState(folder: string, { state, reason }: LinkStatus): void {
  const since = new Date().toISOString();
  const text = JSON.stringify({ state, since, ...(reason === undefined ? {} : { reason }) });
  try {
    Deno.writeTextFileSync(`${linkStatePath(folder)}.new`, `${text}\n`, { mode: 0o600 });
    Deno.renameSync(`${linkStatePath(folder)}.new`, linkStatePath(folder));
  } catch {
    // See above.
  }
}

/**
 * How this host's link stands.
 *
 * @param folder The agent's folder.
 * @returns `undefined` where no agent said so, or this user may not read it.
 */
export function readLinkState(folder: string): LinkStateFile | undefined {
  try {
    return stateSchema.safeParse(JSON.parse(readIfThere(linkStatePath(folder)) ?? "")).data;
  } catch {
    return undefined;
  }
}
