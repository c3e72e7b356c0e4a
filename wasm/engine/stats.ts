/** Counters of the module, in the order of wasm/assembly/stats.ts; only ever appended. */
export const STAT_NAMES = [
  /** Calls of `scan`, resumed ones not counted. */
  "scans",
  "records",
  "records_malformed",
  /** Bytes from the malformed record to the end of its batch. */
  "bytes_malformed",
  "records_unknown_kind",
  "hits",
  /** Times that the region of hits was full and the scan went on after a drain. */
  "hits_full",
  "rules_run",
  /** Rows of live processes now. */
  "processes_live",
  /** Rows of ended processes now. */
  "processes_ended",
  "processes_evicted_ended",
  "processes_evicted_live",
  /** Records whose process is not in the table. */
  "processes_unknown",
  /** Live rows that another process with the same pid replaced. */
  "exits_missed",
  /** Programs kept now. */
  "programs",
  /** Bytes that they take now. */
  "program_bytes",
  "programs_refused",
  /** Live rows that lost their program to keep the reserve. */
  "programs_evicted_live",
  "users_refused",
  "roles_refused",
  "records_masked",
  "bytes_masked",
  /** Glob searches that went on bit-parallel. */
  "glob_fallbacks",
  "images_refused",
  /** Tests of a record that its budget of steps cut short: they count as not fulfilled. */
  "tests_unfinished",
  /** Bytes of the arena in which the atoms of programs are kept, now. */
  "kept_bytes",
  /** Times that the atoms found in a program had no room there: its next event finds them anew. */
  "atoms_not_kept",
  /** Times that a label for the kernel had no room: the process's next record puts it down again. */
  "labels_delayed",
  /** Records of which a value may be listed: the Bloom filter does not deny it. */
  "records_maybe_listed",
] as const;

/** Name of a counter: the module's, and `hits_dropped` over the bound of one scan. */
export type StatName = (typeof STAT_NAMES)[number] | "hits_dropped";

/** All counters by name. */
export type EngineStats = Readonly<Record<StatName, number>>;
