import type { ProgramModule } from "../../common/config/program.ts";
import type { SetParts } from "../../common/indicators/set_file.ts";
import type { ListedAsks, TunedBloomStats } from "../../wasm/engine/mod.ts";
import type { ListedFiles } from "../sensors/listed_files.ts";
import type { ListedAddresses } from "../sensors/network_policy.ts";
import type { Watch } from "../sensors/policy.ts";

/** The Worker that reads the indicators and builds their filter. */
export const INDICATORS_WORKER: ProgramModule = {
  name: "immune-indicators",
  source: "agent/indicators/program.ts",
};

/** What the indicators need from the kernel. */
export interface IndicatorInterest {
  /** Addresses are listed: connects and accepts are asked for. */
  readonly address: boolean;
  /** Those addresses, for the kernel's own Bloom map. */
  readonly listed: ListedAddresses;
  /** Some of them are, or overlap, private ones: accepts from these must not be left out. */
  readonly privatePeers: boolean;
  /** Domains are listed: questions to DNS servers are asked for. */
  readonly dns: boolean;
  /** SHA-256 hashes are listed: the hash of each program that starts is asked for. */
  readonly hashes: boolean;
  /** Paths and names, for another such map: which opens of the wide stream are asked for. */
  readonly files: ListedFiles;
  /** Files whose opens are asked for without the wide stream. */
  readonly watches: readonly Watch[];
  /** Listed paths over the bound of watches: an open of one is seen by the wide stream alone. */
  readonly pathsNotWatched: number;
}

/** Indicators as a pipeline needs them. */
export interface LoadedIndicators {
  readonly set: SetParts;
  /** Bloom filter of the values, as `BloomFilter.save` gives it. */
  readonly filter: Uint8Array<ArrayBuffer>;
  readonly filterStats: TunedBloomStats;
  /** What the filter holds that records have. */
  readonly asks: ListedAsks;
  readonly interest: IndicatorInterest;
}
