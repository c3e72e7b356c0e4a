import { assert, assertEquals, assertThrows } from "@std/assert";
import { ImmuneError } from "../../common/config/errors.ts";
import { cgroup2Mount, containerOf, FACT_BYTES_MAX, hostFacts, readFact } from "./facts.ts";
import { capabilityNames } from "./linux_capabilities.ts";
import { loadLibrary } from "./library.ts";
import { checkHost } from "./requirements.ts";

const FACTS = new URL("./facts.ts", import.meta.url).href;
const REQUIREMENTS = new URL("./requirements.ts", import.meta.url).href;

function read(path: string): string | undefined {
  const bytes = readFact(path);
  return bytes && new TextDecoder().decode(bytes);
}

Deno.test("readFact() gives what another reader sees", async () => {
  const own = await new Deno.Command("uname", { args: ["-r"] }).output();
  assertEquals(read("/proc/sys/kernel/osrelease"), new TextDecoder().decode(own.stdout));
  assertEquals(read(`/proc/${Deno.pid}/comm`), read("/proc/self/comm"));
});

Deno.test("readFact() gives the target, a symbolic link", () => {
  assertEquals(read("/proc/self"), String(Deno.pid));
  assertEquals(read("/proc/self/exe"), Deno.realPathSync(Deno.execPath()));
  assertEquals(read("/proc/mounts"), "self/mounts");
});

Deno.test("readFact() reads nothing elsewhere, each way out", async () => {
  const folder = await Deno.makeTempDir();
  const file = `${Deno.realPathSync(folder)}/file`;
  const fd = Deno.openSync(file, { create: true, write: true });
  try {
    const outside = [
      "/etc/passwd",
      "/sys/kernel/debug/x",
      "/proc/../etc/passwd",
      "/proc/self/../../etc/passwd",
      "/proc/self/root/etc/passwd",
      "/proc/self/cwd/deno.json",
      `/proc/1/root/etc/passwd`,
      "/procfs",
      "/proc",
      "/proc/",
      "proc/self/status",
      "",
      "/sys/fs/cgroup/../../kernel/btf/vmlinux",
    ];
    for (const path of outside) assertEquals(readFact(path), undefined, path);
    // A descriptor is told by its target, never read through.
    const all = [...Deno.readDirSync("/proc/self/fd")];
    const link = all.map(({ name }) => read(`/proc/self/fd/${name}`));
    assert(link.includes(file));
  } finally {
    fd.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("readFact() is undefined, a file that is not there or a folder", () => {
  assertEquals(readFact("/proc/no_such_file"), undefined);
  assertEquals(readFact("/proc/self/task"), undefined);
});

Deno.test("readFact() cuts at the bound, and reads a long file whole below it", () => {
  assertEquals(readFact("/proc/self/status", { bytesMax: 7 })?.length, 7);
  const symbols = readFact("/proc/kallsyms", { bytesMax: 200_000 });
  assertEquals(symbols?.length, 200_000);
  assert((readFact("/proc/kallsyms")?.length ?? 0) <= FACT_BYTES_MAX);
});

Deno.test("hostFacts() agrees with this host", () => {
  const facts = hostFacts();
  assertEquals(facts.uid, Deno.uid());
  assertEquals(facts.kernelRelease, Deno.osRelease());
  assertEquals(facts.architecture, Deno.build.arch);
  assertEquals(facts.foreignPidNamespace, false);
  assert(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(facts.bootId));
  assert(facts.capabilities.includes("CAP_SYS_ADMIN"));
  assertEquals(checkHost(facts), []);
});

Deno.test("hostFacts() misses kernel types, a path without a file", () => {
  const facts = hostFacts({ btf: "/nowhere/vmlinux" });
  assertEquals([facts.btf, facts.btfPath], [false, "/nowhere/vmlinux"]);
  assertEquals(checkHost(facts).map((finding) => finding.code), ["no_btf"]);
});

async function findingsUnder(command: string, args: readonly string[]): Promise<string> {
  const code = `import { hostFacts } from "${FACTS}"; import { checkHost } from "${REQUIREMENTS}";
console.log(checkHost(hostFacts()).map((finding) => finding.code).join());`;
  const { stdout, stderr } = await new Deno.Command(command, {
    args: [...args, Deno.execPath(), "eval", code],
  }).output();
  return new TextDecoder().decode(stdout).trim() || new TextDecoder().decode(stderr);
}

Deno.test("hostFacts() sees a foreign pid namespace, unshare", async () => {
  assertEquals(await findingsUnder("unshare", ["-pf", "--mount-proc"]), "pid_namespace");
  assertEquals(await findingsUnder("unshare", ["-pf"]), "pid_namespace");
});

Deno.test("hostFacts() sees missing capabilities, root that gave them up", async () => {
  const dropped = "-net_admin,-sys_ptrace";
  assertEquals(
    await findingsUnder("setpriv", [`--bounding-set=${dropped}`, `--inh-caps=${dropped}`]),
    "capability,capability",
  );
});

Deno.test("cgroup2Mount() unescapes the mount point", () => {
  const line = String.raw`38 31 0:38 / /mnt/a\040b rw,relatime shared:4 - cgroup2 cgroup2 rw`;
  assertEquals(cgroup2Mount(`37 31 0:37 / /c rw - cgroup cgroup rw,pids\n${line}\n`), "/mnt/a b");
  assertEquals(cgroup2Mount("37 31 0:37 / /cgroup2 rw - cgroup cgroup rw\n"), undefined);
});

Deno.test("containerOf() finds the id, how engines write it", () => {
  const id = "0123456789abcdef".repeat(4);
  assertEquals(containerOf(`0::/docker/${id}\n`), id);
  assertEquals(
    containerOf(`1:name=systemd:/\n0::/kubepods.slice/cri-containerd-${id}.scope\n`),
    id,
  );
  assertEquals(containerOf("0::/user.slice/session-1.scope\n"), undefined);
});

Deno.test("capabilityNames() knows numbers, new ones too", () => {
  assertEquals(capabilityNames("0000000000000000"), []);
  assertEquals(capabilityNames("0000008000200001"), ["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_BPF"]);
  assertEquals(capabilityNames("8000000000000000"), ["CAP_63"]);
});

Deno.test("loadLibrary() says what to do, a missing file and a file that is none", async () => {
  const path = await Deno.makeTempFile();
  try {
    for (const library of ["/nowhere/x.so", path]) {
      const error = assertThrows(() => loadLibrary({ library }), ImmuneError, "deno task build");
      assertEquals([error.code, error.message.includes("\n")], ["SENSOR_UNAVAILABLE", false]);
    }
  } finally {
    await Deno.remove(path);
  }
});
