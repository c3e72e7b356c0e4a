import { type Clock, ImmuneError } from "../../common/config/mod.ts";
import type { Renew, Renewal } from "../intake/renewal.ts";
import type { Store } from "../store/store.ts";
import type { Authority } from "../trust/authority.ts";
import { DAY_MS } from "../trust/dates.ts";

/** How long the certificate before is good when the new one is not used, in days. */
export const RENEWAL_OVERLAP_DAYS = 7;
/** Between two certificates of one agent, in milliseconds. */
export const RENEWAL_INTERVAL_MS = 60_000;
/** Agents whose last renewal is remembered. */
export const RENEWALS_REMEMBERED_MAX = 10_000;

/** What renewals work with. */
export interface RenewalParts {
  readonly store: Pick<Store, "renewCertificate">;
  readonly authority: Pick<Authority, "sign">;
  readonly clock: Clock;
}

/**
 * Signs the next certificates of agents that are known. The certificate is in the store before the
 * agent has it.
 *
 * @param parts Store, authority and clock.
 * @returns What the agents' port calls.
 */
export function renewals({ store, authority, clock }: RenewalParts): Renew {
  const last = new Map<string, number>();
  return async ({ agentId, by, request }: Renewal) => {
    const nowMs = clock.monotonicMs();
    const before = last.get(agentId);
    if (before !== undefined && nowMs - before < RENEWAL_INTERVAL_MS) {
      throw new ImmuneError(
        "RATE_LIMITED",
        `Cannot sign: this agent's last certificate is younger than ${RENEWAL_INTERVAL_MS} ms`,
      );
    }
    const { pem, fingerprint } = await authority.sign(request, { agentId });
    const untilMs = clock.nowMs() + RENEWAL_OVERLAP_DAYS * DAY_MS;
    await store.renewCertificate({ fingerprint, by, untilMs });
    last.delete(agentId);
    last.set(agentId, nowMs);
    for (const oldest of last.keys()) {
      if (last.size <= RENEWALS_REMEMBERED_MAX) break;
      last.delete(oldest);
    }
    return { certificate: pem };
  };
}
