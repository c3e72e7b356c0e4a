/** One measured number. */
export interface BenchFigure {
  /** Its name for machines: lower case, words joined by underscores, the unit at its end. */
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  /** Whose number it is, when it is not ours. */
  readonly peer?: string;
}

/** What a benchmark gives back. */
export interface BenchResult {
  /** What was run, in one line. */
  readonly workload: string;
  /** Seed of its pseudo-random input. */
  readonly seed: number;
  /** Of its result, so that two runs can be seen to have done the same. */
  readonly checksum: string;
  readonly figures: readonly BenchFigure[];
}
