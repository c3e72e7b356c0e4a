// The numbers that fields of a record hold, by their names. `generate.ts` writes them down for C and
// AssemblyScript too.

/** Bits of a header's `flags`. */
export const FLAGS = {
  /** A slot holds less than there was; its original length says how much. */
  truncated: 1,
  /** A value could not be had in full (a path not absolute, a process not known). */
  unresolved: 2,
  /** The system call came through a 32-bit or compat entry. */
  compat: 4,
  /** Key-like bytes of argv were overwritten after matching. */
  masked: 8,
  /** The file has no name any more (unlinked, or memory only). */
  deleted: 16,
  /** An IPv4 address given in IPv4-mapped IPv6 form (RFC 4291, 2.5.5.2). */
  mapped: 32,
  /** A kernel thread. */
  kernel_thread: 64,
  /** The kernel gave the process its role at this exec, by marks of the program. */
  labelled: 128,
  /** A process that the kernel lists and /proc does not show. */
  hidden: 256,
  /** The program has no file on any disk and never had a place in a tree (memfd). */
  memory_only: 512,
} as const;

/** First source number of bulk records: 0x4000 + CPU. */
export const SOURCE_BULK = 0x4000;

/** First source number of what is counted of the map of rates: 0x8000 + CPU. No records. */
export const SOURCE_RATES = 0x8000;

/** Sources of user space. */
export const SOURCES = {
  /** Watched opens, filled by the loader. */
  watch: 0xF000,
  /** Snapshot of processes that ran before the sensor, filled by the loader. */
  snapshot: 0xF001,
  /** The agent: context, alerts, loss reports. */
  agent: 0xF002,
  /** Replay from a file. */
  replay: 0xF003,
  /** Changes of watched files, filled by the loader. */
  change: 0xF004,
  /** Hashes of files, made by the loader. */
  hash: 0xF005,
  /** Names of cgroups, made by the loader. */
  cgroup: 0xF006,
  /** Lines of logs, and what was done to the agent; both by the agent. */
  logs: 0xF008,
  /** Verdicts of fanotify, and of pinned programs while no agent ran; filled by the loader. */
  enforcement: 0xF007,
  /** No records: what became of files that a program may serve, in the loader's second lane. */
  hash_apart: 0xF009,
  /** No records: those of them that stood still, or were not asked. */
  hash_still: 0xF00A,
} as const;

/** `open_flags` when the way of observing does not tell them (fanotify). */
export const OPEN_FLAGS_UNKNOWN = 0xFFFFFFFF;

/** How a process reaches into another one: `access` of an access record. */
export const ACCESSES = {
  /** PTRACE_ATTACH: it stops the other and may read and write it. */
  attach: 1,
  /** PTRACE_SEIZE: the same without stopping it. */
  seize: 2,
  /** process_vm_readv, or an open of /proc/PID/mem. */
  read: 3,
  /** process_vm_writev, or an open of /proc/PID/mem for writing. */
  write: 4,
  /** An open of /proc/PID/environ: what it was started with, keys and tokens among it. */
  environment: 5,
  /** pidfd_getfd: it took a descriptor of the other. */
  descriptor: 6,
} as const;

/** What a process did with a privilege: `act` of an act record. */
export const ACTS = {
  setns: 1,
  /** unshare, clone and clone3 with its flags. */
  unshare: 2,
  /** mount, move_mount, mount_setattr, fsmount, open_tree that copies, fsconfig that changes. */
  mount: 3,
  unmount: 4,
  pivot_root: 5,
  chroot: 6,
  /** bpf: programs, links, and what is reached by id. */
  bpf: 7,
  perf_event: 8,
  module_load: 9,
  /** Memory that was written, or can be, was made executable: told once a program and way. */
  executable_memory: 10,
} as const;

/** What became of a watched file or name: `change` of a change record. */
export const CHANGES = {
  /** A file or directory of that name was made. */
  create: 1,
  /** It was closed by a program that had it open for writing. */
  write: 2,
  /** It was given another name or folder. */
  rename: 3,
  /** The name is gone. */
  delete: 4,
  /** A hard link to it was made. */
  link: 5,
  /** A symbolic link of that name was made. */
  symlink: 6,
  /** Mode, owner, times or extended attributes were set. */
  attributes: 7,
} as const;

/** What an enforcement policy speaks of: `action` of a verdict. */
export const VERDICT_ACTIONS = { exec: 1, connect: 2, bind: 3, open: 4 } as const;

/** Where in the kernel a verdict was given: `tier` of a verdict. */
export const VERDICT_TIERS = {
  /** An LSM hook: the call gives EPERM. */
  lsm: 1,
  /** A cgroup program: the call gives EPERM. */
  cgroup: 2,
  /** A fanotify permission event: the call gives EPERM. */
  fanotify: 3,
  /** SIGKILL at exec, before the program's first instruction. */
  signal: 4,
} as const;

/** What became of the act: `outcome` of a verdict. */
export const VERDICT_OUTCOMES = {
  /** It gave EPERM. */
  refused: 1,
  /** The process was sent SIGKILL. */
  killed: 2,
  /** It went on: the entry only tells. */
  monitored: 3,
  /** It went on: the policy's actions of this minute were used up. */
  capped: 4,
  /** It went on: the signal or answer came to nothing, or where its file lies is not known. */
  failed: 5,
} as const;

/** What about the agent is not as it left it: `what` of a tamper record. */
export const TAMPERS = {
  /** A debugger is attached. */
  traced: 1,
  /** It stood still for long. */
  stopped: 2,
  /** It ended without having been asked to. */
  killed: 3,
  /** A program of the sensor is not attached, or is another one. */
  detached: 4,
  /** A map of the sensor does not hold what was written. */
  map_changed: 5,
  /** A file of its own was changed, replaced or removed. */
  file_changed: 6,
  /** The wall clock was set. */
  clock_moved: 7,
  /** The kernel was told to end it first when memory is short. */
  oom_exposed: 8,
  /** The enforcement policy does not hold in full. */
  not_enforced: 9,
} as const;

/** What a log says came of it: `outcome` of the kinds of logs. */
export const OUTCOMES = {
  /** It does not say. */
  unknown: 0,
  success: 1,
  failure: 2,
} as const;

/** Where a line of a log was read: `origin` of the kinds of logs. */
export const LOG_ORIGINS = {
  /** A text file of a syslog daemon: whoever may log may write any line. */
  file: 1,
  /** auditd's file: the kernel and programs with CAP_AUDIT_WRITE. */
  audit: 2,
  /** journald's files. */
  journal: 3,
} as const;

/** What is known of who wrote a line of a log: `writer` of the kinds of logs. */
export const LOG_WRITERS = {
  /** Nothing beside the line. */
  unknown: 0,
  /** The program that the line names, as kernel or journald saw it. */
  proven: 1,
  /** Another program. */
  other: 2,
} as const;
