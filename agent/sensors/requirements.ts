import type { HostFacts } from "./facts.ts";

/** Architectures that the sensor is built for. */
export const ARCHITECTURES: readonly string[] = ["x86_64", "aarch64"];
/** Oldest kernel that the sensor's programs are tried on (specs/kernels.md). */
export const KERNEL_MIN = { major: 5, minor: 10 } as const;

/** What a finding is about. */
export type FindingCode =
  | "not_root"
  | "capability"
  | "no_btf"
  | "lockdown"
  | "pid_namespace"
  | "architecture"
  | "kernel_old"
  | "no_cgroup2";

/** Something that the sensor needs and this host does not have. */
export interface Finding {
  readonly code: FindingCode;
  /** True when the sensor cannot start; false when it starts and sees less. */
  readonly fatal: boolean;
  /** What is missing. */
  readonly problem: string;
  /** What to do about it. */
  readonly remedy: string;
  /** What works all the same. */
  readonly works: string;
}

interface Need {
  /** Any of them will do. */
  readonly anyOf: readonly [string, ...string[]];
  readonly purpose: string;
  readonly fatal: boolean;
}

const NEEDS: readonly Need[] = [
  { anyOf: ["CAP_BPF", "CAP_SYS_ADMIN"], purpose: "to load the sensor's programs", fatal: true },
  {
    anyOf: ["CAP_PERFMON", "CAP_SYS_ADMIN"],
    purpose: "to attach the sensor to the kernel's events",
    fatal: true,
  },
  { anyOf: ["CAP_NET_ADMIN"], purpose: "to see connects", fatal: true },
  { anyOf: ["CAP_SYS_ADMIN"], purpose: "to see opens of watched files", fatal: true },
  { anyOf: ["CAP_SYS_PTRACE"], purpose: "to name programs of other users", fatal: false },
  {
    anyOf: ["CAP_DAC_READ_SEARCH"],
    purpose: "to watch files in directories of other users",
    fatal: false,
  },
];

const REPLAY = `"immune replay" works`;
const PARTLY = `the sensor works without it and sees less, and ${REPLAY}`;

/**
 * Compares a host with what the sensor needs.
 *
 * @param facts What the host is like.
 * @returns What is missing, a finding each; empty when nothing is.
 */
export function checkHost(facts: HostFacts): readonly Finding[] {
  return [
    ...checkKernel(facts),
    ...checkPrivilege(facts),
    ...checkNamespace(facts),
  ];
}

/**
 * A finding as people read it.
 *
 * @param finding What is missing.
 * @returns One line without a full stop: what, the remedy, what still works.
 */
export function findingLine(finding: Finding): string {
  return `${finding.problem}: ${finding.remedy}; ${finding.works}`;
}

function checkKernel(facts: HostFacts): Finding[] {
  const findings: Finding[] = [];
  const fatal = (code: FindingCode, problem: string, remedy: string): void => {
    findings.push({ code, fatal: true, problem, remedy, works: REPLAY });
  };
  if (!ARCHITECTURES.includes(facts.architecture)) {
    fatal(
      "architecture",
      `Architecture "${facts.architecture}" is not supported`,
      `use a host with ${ARCHITECTURES.join(" or ")}`,
    );
  }
  if (isOld(facts.kernelRelease)) {
    fatal(
      "kernel_old",
      `Kernel "${facts.kernelRelease}" is too old`,
      `use Linux ${KERNEL_MIN.major}.${KERNEL_MIN.minor} or later`,
    );
  }
  if (!facts.btf) {
    fatal(
      "no_btf",
      `No kernel types (BTF) at "${facts.btfPath}"`,
      "use a kernel with CONFIG_DEBUG_INFO_BTF, or point --btf at its types",
    );
  }
  if (facts.lockdown === "confidentiality") {
    fatal(
      "lockdown",
      `Kernel lockdown is in mode "confidentiality"`,
      `boot with lockdown=integrity or without lockdown`,
    );
  }
  return findings;
}

function checkPrivilege(facts: HostFacts): Finding[] {
  const missing = NEEDS.filter((need) =>
    !need.anyOf.some((name) => facts.capabilities.includes(name))
  );
  if (facts.uid !== 0 && missing.some((need) => need.fatal)) {
    const names = missing.filter((need) => need.fatal).map((need) => need.anyOf[0]);
    return [{
      code: "not_root",
      fatal: true,
      problem: `User id ${facts.uid} may not load the sensor`,
      remedy: `run as root, or with ${names.join(", ")}`,
      works: REPLAY,
    }];
  }
  return missing.map((need) => ({
    code: "capability",
    fatal: need.fatal,
    problem: `Capability ${need.anyOf.join(" or ")} is missing`,
    remedy: `grant it, it is needed ${need.purpose}`,
    works: need.fatal ? REPLAY : PARTLY,
  }));
}

function checkNamespace(facts: HostFacts): Finding[] {
  const findings: Finding[] = [];
  if (facts.foreignPidNamespace) {
    findings.push({
      code: "pid_namespace",
      fatal: true,
      problem: "This is not the host's pid namespace",
      remedy: "run on the host itself, or in a container with the host's pid namespace",
      works: REPLAY,
    });
  }
  if (facts.cgroup2 === undefined) {
    findings.push({
      code: "no_cgroup2",
      fatal: true,
      problem: "No cgroup v2 hierarchy is mounted",
      remedy: `mount it, for example "mount -t cgroup2 none /sys/fs/cgroup/unified"`,
      works: REPLAY,
    });
  }
  return findings;
}

/** A release that is not understood does not count as old: the kernel itself will tell. */
function isOld(release: string): boolean {
  const match = /^(\d+)\.(\d+)/.exec(release);
  if (match === null) return false;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major < KERNEL_MIN.major || (major === KERNEL_MIN.major && minor < KERNEL_MIN.minor);
}
