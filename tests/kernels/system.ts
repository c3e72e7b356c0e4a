import { buildSensor } from "../../build/sensor.ts";
import { HOST, type SensorTarget } from "../../build/target.ts";
import { PrivateApt } from "./apt.ts";
import type { RootEntry } from "./root.ts";
import { kernelTypes } from "./btf.ts";
import { BUSYBOX, FOLDER } from "./fetch.ts";
import { foreignDeno, foreignLinker } from "./foreign.ts";
import { BOOKWORM, BOOKWORM_SECURITY, type GuestArch } from "./kernels.ts";
import { hostPrograms } from "./programs.ts";
import { addFile, addTree } from "./tree.ts";

/** What a guest of one architecture is made of. */
export interface GuestSystem {
  /** How the sensor and the tests in C are built for it. */
  readonly target: SensorTarget;
  /** Its Deno, as a path of this host. */
  readonly deno: string;
  /**
   * Its programs and libraries, busybox among them.
   *
   * @param more Paths of what else is put there, whose libraries it needs too.
   */
  readonly files: (more: readonly string[]) => Promise<ReadonlyMap<string, RootEntry>>;
}

/** What a guest of another architecture has; brings what the host's programs would. */
const PACKAGES =
  "bash bpftool dash coreutils util-linux mount perl-base sed busybox-static libbpf1 libgcc-s1 " +
  "libcap2 libcrypt1 libelf1 zlib1g";
/** What is needed to compile for it. */
const BUILD_PACKAGES = "libbpf-dev libelf-dev zlib1g-dev libc6-dev libgcc-12-dev libgcc-s1";
/** Parts of packages that no program reads. */
const UNREAD = /^(doc|man|locale|i18n|include|info|lintian|bug)$|\.(a|h)$/;

const UNMERGED = /^(bin|sbin|lib)\//;

/**
 * What a guest is made of; builds the sensor for it.
 *
 * @param arch Its architecture.
 * @param kernel Path of a kernel's image of that architecture.
 * @throws {Unreachable} when something cannot be had.
 */
export async function guestSystem(arch: GuestArch, kernel: string): Promise<GuestSystem> {
  const system = arch === Deno.build.arch ? hostSystem() : await otherSystem(arch, kernel);
  await buildSensor(system.target);
  return system;
}

function hostSystem(): GuestSystem {
  return {
    target: HOST,
    deno: Deno.execPath(),
    files: async (more) => {
      const entries = new Map(await hostPrograms(more));
      await addFile(entries, { from: BUSYBOX, to: "usr/bin/busybox" });
      return entries;
    },
  };
}

/** From packages of that architecture, and a linker of this one; nothing is installed. */
async function otherSystem(arch: GuestArch, kernel: string): Promise<GuestSystem> {
  const suites = [BOOKWORM, BOOKWORM_SECURITY];
  const root = `${FOLDER}/system-${arch}`;
  const apt = await PrivateApt.open({ folder: `${FOLDER}/apt-${arch}`, arch, suites });
  await apt.unpackAll(PACKAGES.split(" "), root);
  const sysroot = `${FOLDER}/sysroot-${arch}`;
  await apt.unpackAll(BUILD_PACKAGES.split(" "), sysroot);
  const target: SensorTarget = {
    arch,
    folder: `${FOLDER}/out-${arch}`,
    btf: await kernelTypes(kernel),
    release: kernel.slice(kernel.lastIndexOf("/") + 1),
    compiler: [
      "clang",
      `--target=${arch}-linux-gnu`,
      `--sysroot=${sysroot}`,
      `--ld-path=${await foreignLinker()}`,
    ],
  };
  const files = async (): Promise<ReadonlyMap<string, RootEntry>> => {
    const unpacked = new Map<string, RootEntry>();
    await addTree(unpacked, { from: root, to: "", skip: UNREAD });
    // The packages are older than the merge of /usr: what they have in /bin is put in /usr/bin.
    return new Map(
      [...unpacked].map(([path, entry]) => [path.slice(1).replace(UNMERGED, "usr/$1/"), entry]),
    );
  };
  return { target, deno: await foreignDeno(arch), files };
}
