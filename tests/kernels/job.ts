/** What a guest is to run; lies in its root as JOB_PATH. */
export interface Job {
  /** Live tests of the loader (names of `bpf/loader/sensor_test.c`); `undefined`: all. */
  readonly live: readonly string[] | undefined;
  /** Test files of the project, each run by `deno test` on its own. */
  readonly files: readonly string[];
  /** Environment of the tests; `undefined`: nothing of their own. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** Variables that make tests longer, handed over to guests. */
export const VARIABLES: readonly string[] = ["IMMUNE_TEST_RUNS", "IMMUNE_TEST_KILLS"];

/** Where the guest finds the project, as a folder of its root. */
export const GUEST_ROOT = "/immune";
/** Where it finds its job. */
export const JOB_PATH = "/job.json";
/** Where it finds programs that were compiled for it. */
export const GUEST_PROGRAMS = `${GUEST_ROOT}/out/live`;

/** Files that make sense in a machine of their own, without network and compiler. */
export const FILES: readonly string[] = [
  "tests/e2e/watch_begins_test.ts",
  "tests/e2e/sensor_control_test.ts",
  "tests/e2e/labels_test.ts",
  "tests/e2e/calls_test.ts",
  "tests/e2e/evasions_test.ts",
  "tests/e2e/hashes_test.ts",
  "tests/e2e/devices_test.ts",
  "tests/e2e/fold_test.ts",
  "tests/e2e/watch_opens_test.ts",
  "tests/e2e/watch_changes_test.ts",
  "tests/e2e/open_filter_test.ts",
  "tests/e2e/quiet_neighbours_test.ts",
  "tests/e2e/enforcement_address_test.ts",
  "tests/e2e/enforcement_exec_test.ts",
  "tests/e2e/enforcement_files_test.ts",
  "tests/e2e/enforcement_kill_test.ts",
  "tests/e2e/guardian_test.ts",
  "tests/e2e/enforcement_open_test.ts",
  "tests/e2e/enforcement_who_test.ts",
  "agent/sensors/facts_test.ts",
  "agent/pipeline/pipeline_test.ts",
  "agent/pipeline/replay_test.ts",
];

/** Everything. */
export const FULL: Job = { live: undefined, files: FILES };

/** What tells within some minutes that sensor, loader and engine work on a kernel. */
export const SHORT: Job = {
  live: ["exec", "identity", "sockets", "descent", "flows", "dns"],
  files: ["tests/e2e/watch_begins_test.ts", "tests/e2e/labels_test.ts"],
};
