import { ImmuneError } from "../../common/config/errors.ts";

/** Why the herd did not take something, with what it says of it. */
export const HERD_REFUSALS = {
  self: "an agent speaks for itself",
  unknown: "no agent, alert or antibody of this id is there",
  suspect: "a suspect has no vote and no report",
  blacklisted: "a blacklisted agent has no part in the herd",
  newcomer: "it has too few vouchers, or too little trust, to count",
  probation: "it is enrolled too short a time to vouch",
  repeated: "it was said before and counts once",
  budget: "its bound for this time is used up",
  evidence: "no detection of its own shows it",
  same_host: "another agent of this host has spoken",
  pulled: "it was pulled back and needs an analyst now",
  state: "it is not in a state in which this can be done",
  full: "the herd holds as many as it may",
  signature: "it is not signed by the key that is known here",
  replayed: "it is not newer than what is known here",
  lint: "the entry is not one that may be spread",
} as const;

/** Name of a reason. */
export type HerdReason = keyof typeof HERD_REFUSALS;

/** What the herd does not take, and why. */
export class HerdRefusal extends ImmuneError {
  readonly reason: HerdReason;

  /**
   * @param reason Why.
   * @param what What was asked for, as in `Cannot WHAT`.
   */
  constructor(reason: HerdReason, what: string) {
    super("HERD_REFUSED", `Cannot ${what}: ${HERD_REFUSALS[reason]}`);
    this.reason = reason;
  }
}
