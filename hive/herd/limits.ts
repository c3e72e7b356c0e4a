import { ANTIBODIES_PER_SET_MAX, ANTIBODY_SET_BYTES_MAX } from "../../common/herd/set.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Bounds of trust and of what agents may add to the herd; `specs/sybil.md` says what each is for. */
export interface HerdLimits {
  /** Trust of an agent when it joins, and where trust moves to. */
  readonly trustAtJoining: number;
  /** Trust of an agent of the genesis set, when the set is signed. */
  readonly trustOfGenesis: number;
  /** What a distinct voucher adds. */
  readonly vouchGain: number;
  /** What a detection that an analyst confirmed adds. */
  readonly detectionGain: number;
  /** What a detection that an analyst refuted, or an antibody that was pulled back, takes. */
  readonly refutedLoss: number;
  /** What an agent loses when one that it vouched for is blacklisted. */
  readonly stakeLoss: number;
  /** How far trust moves in a day. */
  readonly driftPerDay: number;
  /** From this trust on an agent counts: in a quorum, as a voucher, as a reporter. */
  readonly quorumTrust: number;
  /** Below this trust an agent is suspect. */
  readonly suspectTrust: number;
  /** Distinct vouchers that an agent needs before it counts. */
  readonly vouchersNeeded: number;
  /** Agents that one voucher may vouch for within `vouchWindowMs`. */
  readonly vouchesPerVoucher: number;
  readonly vouchWindowMs: number;
  /** How long a vouch holds, in milliseconds. */
  readonly vouchLifetimeMs: number;
  /**
   * How long an agent must have been enrolled before it may vouch, in milliseconds: longer than
   * three vouches keep it above `quorumTrust`, so that these alone bring nobody else in.
   */
  readonly probationMs: number;
  /** Reports from distinct agents that make an agent suspect. */
  readonly reportsToSuspect: number;
  /** Agents that one reporter may report within `reportLifetimeMs`. */
  readonly reportsPerReporter: number;
  /** How long a report counts, in milliseconds. */
  readonly reportLifetimeMs: number;
  /** Confirmed detections that add to an agent's trust within a day. */
  readonly detectionsPerDay: number;
  /** Fewest agents of a quorum. */
  readonly quorumMin: number;
  /** Share of the members that a quorum needs. */
  readonly quorumShare: number;
  /** How old the alert may be that an antibody is born of, in milliseconds. */
  readonly evidenceAgeMs: number;
  /** Antibodies that one agent may propose in a day. */
  readonly proposalsPerDay: number;
  /** Antibodies that are proposed or in force at a time. */
  readonly antibodiesMax: number;
  /** Bytes that all of them may take up in a set. */
  readonly antibodyBytesMax: number;
  /** How long an antibody stays on the canary hosts before all get it, in milliseconds. */
  readonly canaryMs: number;
  /** Share of the hosts that are canary hosts, at least one. */
  readonly canaryShare: number;
  /** Fewest hosts with a match that pull an antibody back once all have it; of canary hosts one. */
  readonly brakeHosts: number;
  /** Share of the hosts that have an antibody and match it which pulls it back. */
  readonly brakeShare: number;
  /** Agents that count whose objection pulls an antibody back. */
  readonly objectionsToPull: number;
  /** How long an antibody that was pulled back is not taken from agents again, in milliseconds. */
  readonly pulledMs: number;
}

/** What holds unless an operator says otherwise. */
export const HERD_LIMITS: HerdLimits = {
  trustAtJoining: 0.3,
  trustOfGenesis: 1,
  vouchGain: 0.1,
  detectionGain: 0.05,
  refutedLoss: 0.1,
  stakeLoss: 0.1,
  driftPerDay: 0.01,
  quorumTrust: 0.5,
  suspectTrust: 0.2,
  vouchersNeeded: 3,
  vouchesPerVoucher: 3,
  vouchWindowMs: 30 * DAY_MS,
  vouchLifetimeMs: 90 * DAY_MS,
  probationMs: 14 * DAY_MS,
  reportsToSuspect: 5,
  reportsPerReporter: 10,
  reportLifetimeMs: 30 * DAY_MS,
  detectionsPerDay: 2,
  quorumMin: 3,
  quorumShare: 0.1,
  evidenceAgeMs: 7 * DAY_MS,
  proposalsPerDay: 20,
  antibodiesMax: ANTIBODIES_PER_SET_MAX,
  antibodyBytesMax: ANTIBODY_SET_BYTES_MAX - 1024,
  canaryMs: 4 * 60 * 60 * 1000,
  canaryShare: 0.05,
  brakeHosts: 3,
  brakeShare: 0.1,
  objectionsToPull: 3,
  pulledMs: 30 * DAY_MS,
};
