/**
 * The herd: whose word counts (`specs/sybil.md`), and what hosts share (`specs/herd.md`).
 *
 * @module
 */
export type { HerdSets, Proposal } from "./antibodies.ts";
export { evidenceOf } from "./evidence.ts";
export { type Genesis, GENESIS_BYTES_MAX, readGenesis, signGenesis } from "./genesis.ts";
export {
  type AntibodySet,
  type AntibodyView,
  Herd,
  type HerdCall,
  type HerdCalls,
  type HerdGives,
  type HerdTakes,
} from "./herd.ts";
export type { AntibodyRow, HerdLedger, Member, Stage } from "./ledger.ts";
export { HERD_TICK_MS, HerdKeeper } from "./keeper.ts";
export { HERD_LOOK_ALL_MS, HERD_LOOK_MS, HerdPublisher } from "./publisher.ts";
export { HERD_LIMITS, type HerdLimits } from "./limits.ts";
export { HERD_REFUSALS, type HerdReason, HerdRefusal } from "./refusal.ts";
// The look at what is ordinary stays in its files: it brings the rule language and the engine.
export { type HerdSaid, WordTrail } from "./word_trail.ts";
export type { Standing, StandingState } from "./standing.ts";
