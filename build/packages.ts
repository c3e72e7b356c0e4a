/** Something that the build needs from the operating system. */
export interface Requirement {
  /** What it is, as people know it. */
  readonly name: string;
  /** A command to find on the PATH, or a file that must be there. */
  readonly probe: string;
  /** Debian package that brings it. */
  readonly package: string;
}

/** What the sensor's build needs. The WASM engine needs nothing but Deno. */
export const REQUIREMENTS: readonly Requirement[] = [
  { name: "clang", probe: "clang", package: "clang" },
  { name: "a C compiler", probe: "cc", package: "gcc" },
  { name: "C library headers", probe: "/usr/include/stdio.h", package: "libc6-dev" },
  { name: "bpftool", probe: "bpftool", package: "bpftool" },
  { name: "libbpf", probe: "/usr/include/bpf/libbpf.h", package: "libbpf-dev" },
  { name: "libelf", probe: "/usr/include/libelf.h", package: "libelf-dev" },
  { name: "zlib", probe: "/usr/include/zlib.h", package: "zlib1g-dev" },
];

/** Folders where administrative commands lie, also when the PATH lacks them. */
const COMMAND_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** How missing packages may be had. */
export interface InstallOptions {
  /** False: never install, name the command instead. */
  readonly install: boolean;
}

/**
 * Makes sure that the packages are there: lists what is missing, and installs as root, on a terminal
 * after it has asked, without one at once: who types the command there cannot be asked.
 *
 * @param requirements What to look for.
 * @param options Whether installing is allowed.
 * @returns What is still missing, empty when all is there.
 */
export async function ensurePackages(
  requirements: readonly Requirement[],
  options: InstallOptions,
): Promise<readonly Requirement[]> {
  const missing = requirements.filter((requirement) => !isPresent(requirement.probe));
  if (missing.length === 0) return [];
  const packages = missing.map((requirement) => requirement.package);
  const command = `apt-get install -y --no-install-recommends ${packages.join(" ")}`;
  console.error("The build needs packages that are not installed:");
  for (const { name, package: pkg } of missing) console.error(`  ${pkg.padEnd(14)} ${name}`);
  if (!options.install) {
    console.error(`Install them: ${command}`);
    return missing;
  }
  if (Deno.uid() !== 0) {
    console.error(`Install them as root: sudo ${command}`);
    return missing;
  }
  if (Deno.stdin.isTerminal() && !confirm("Install them now?")) {
    console.error(`Install them yourself: ${command}`);
    return missing;
  }
  await apt(["update", "-qq"]);
  await apt(["install", "-y", "-qq", "--no-install-recommends", ...packages]);
  return requirements.filter((requirement) => !isPresent(requirement.probe));
}

function isPresent(probe: string): boolean {
  const candidates = probe.startsWith("/") ? [probe] : [
    ...(Deno.env.get("PATH") ?? "").split(":"),
    ...COMMAND_FOLDERS,
  ].map((folder) => `${folder}/${probe}`);
  return candidates.some((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

async function apt(args: readonly string[]): Promise<void> {
  console.error(`+ apt-get ${args.join(" ")}`);
  const { success, stderr } = await new Deno.Command("apt-get", {
    args: [...args],
    env: { DEBIAN_FRONTEND: "noninteractive" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) console.error(new TextDecoder().decode(stderr).trim());
}
