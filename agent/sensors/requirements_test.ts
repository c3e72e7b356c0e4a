import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { HostFacts } from "./facts.ts";
import { checkHost, type FindingCode, findingLine } from "./requirements.ts";

const FIT: HostFacts = {
  kernelRelease: "6.1.0-28-amd64",
  architecture: "x86_64",
  uid: 0,
  capabilities: [
    "CAP_DAC_READ_SEARCH",
    "CAP_NET_ADMIN",
    "CAP_SYS_PTRACE",
    "CAP_SYS_ADMIN",
    "CAP_PERFMON",
    "CAP_BPF",
  ],
  btfPath: "/sys/kernel/btf/vmlinux",
  btf: true,
  lockdown: "none",
  foreignPidNamespace: false,
  securityModules: ["lockdown", "bpf"],
  bootId: "00000000-0000-4000-8000-000000000000",
  cgroup2: "/sys/fs/cgroup",
  container: undefined,
};

function codes(change: Partial<HostFacts>): FindingCode[] {
  return checkHost({ ...FIT, ...change }).map((finding) => finding.code);
}

function without(...names: string[]): readonly string[] {
  return FIT.capabilities.filter((name) => !names.includes(name));
}

Deno.test("checkHost() finds nothing, a fit host", () => {
  assertEquals(checkHost(FIT), []);
  assertEquals(codes({ architecture: "aarch64", kernelRelease: "5.10.0-32-amd64" }), []);
  assertEquals(codes({ lockdown: "integrity" }), []);
  assertEquals(codes({ lockdown: undefined, securityModules: [] }), []);
  assertEquals(codes({ uid: 998 }), []);
  assertEquals(codes({ capabilities: without("CAP_BPF", "CAP_PERFMON") }), []);
});

Deno.test("checkHost() names one thing in one line, each missing one", () => {
  const cases: [FindingCode, Partial<HostFacts>, RegExp][] = [
    ["not_root", { uid: 1000, capabilities: [] }, /1000 .*run as root.*CAP_SYS_ADMIN/],
    ["no_btf", { btf: false, btfPath: "/nowhere" }, /"\/nowhere".*--btf/],
    ["lockdown", { lockdown: "confidentiality" }, /confidentiality.*lockdown=integrity/],
    ["pid_namespace", { foreignPidNamespace: true }, /pid namespace.*host/],
    ["architecture", { architecture: "riscv64" }, /"riscv64".*x86_64 or aarch64/],
    ["kernel_old", { kernelRelease: "5.9.16-generic" }, /"5\.9\.16-generic".*5\.10/],
    ["kernel_old", { kernelRelease: "4.19.0" }, /"4\.19\.0"/],
    ["no_cgroup2", { cgroup2: undefined }, /cgroup v2.*mount/],
    ["capability", { capabilities: without("CAP_NET_ADMIN") }, /CAP_NET_ADMIN.*connects/],
    ["capability", { capabilities: without("CAP_SYS_ADMIN") }, /CAP_SYS_ADMIN.*watched/],
    ["capability", { capabilities: without("CAP_SYS_PTRACE") }, /CAP_SYS_PTRACE.*sees less/],
    ["capability", { capabilities: without("CAP_DAC_READ_SEARCH") }, /DAC_READ_SEARCH/],
  ];
  for (const [code, change, line] of cases) {
    const findings = checkHost({ ...FIT, ...change });
    assertEquals(findings.map((finding) => finding.code), [code], JSON.stringify(change));
    for (const finding of findings) {
      assert(line.test(findingLine(finding)), `${findingLine(finding)} is not ${line}`);
      assert(findingLine(finding).includes("immune replay"));
    }
  }
});

Deno.test("checkHost() asks for each capability, root in a container", () => {
  const findings = checkHost({ ...FIT, capabilities: [] });
  assertEquals(findings.map((finding) => finding.code), new Array(6).fill("capability"));
  assertEquals(findings.map((finding) => finding.fatal), [true, true, true, true, false, false]);
});

Deno.test("checkHost() lets a sensor without optional capabilities start, another user", () => {
  const capabilities = without("CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH");
  const findings = checkHost({ ...FIT, uid: 998, capabilities });
  assertEquals(findings.map((finding) => [finding.code, finding.fatal]), [
    ["capability", false],
    ["capability", false],
  ]);
});

Deno.test("findingLine() is one line without full stop, any facts", () => {
  const facts = fc.record({
    kernelRelease: fc.constantFrom("", "x", "5.4.0", "6.18.44"),
    architecture: fc.constantFrom("x86_64", "s390x"),
    uid: fc.constantFrom(0, 1000, NaN),
    capabilities: fc.subarray([...FIT.capabilities]),
    btfPath: fc.constant("/x"),
    btf: fc.boolean(),
    lockdown: fc.constantFrom(undefined, "none", "confidentiality"),
    foreignPidNamespace: fc.boolean(),
    securityModules: fc.constant([]),
    bootId: fc.constant(""),
    cgroup2: fc.constantFrom(undefined, "/sys/fs/cgroup"),
    container: fc.constant(undefined),
  });
  fc.assert(fc.property(facts, (facts) => {
    for (const finding of checkHost(facts)) {
      assert(/^[A-Z][^\n]+[^.\n]$/.test(findingLine(finding)));
    }
  }));
});
