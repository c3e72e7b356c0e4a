import type { GuestArch, Suite } from "./kernels.ts";
import { compareVersions } from "./kernels.ts";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
/** Longest that an index or a package may take to come, in milliseconds. */
const FETCH_MS_MAX = 300_000;
const DEBIAN_ARCH: Readonly<Record<GuestArch, string>> = { x86_64: "amd64", aarch64: "arm64" };

/** What cannot be had, so that a kernel is skipped: the message says why. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** Where packages come from. */
export interface AptOptions {
  /** Folder that is kept between runs. */
  readonly folder: string;
  readonly arch: GuestArch;
  readonly suites: readonly Suite[];
}

/** apt with lists and a cache of its own: nothing of the host's apt or dpkg is changed. */
export class PrivateApt {
  readonly #folder: string;
  readonly #arch: string;
  readonly #options: readonly string[];

  private constructor({ folder, arch }: AptOptions) {
    this.#folder = folder;
    this.#arch = DEBIAN_ARCH[arch];
    this.#options = [
      "Dir::Etc::SourceList=" + `${folder}/sources.list`,
      "Dir::Etc::SourceParts=-",
      `Dir::State::Lists=${folder}/lists`,
      "Dir::State::Status=/dev/null",
      `Dir::Cache=${folder}/cache`,
      `APT::Architecture=${this.#arch}`,
      `APT::Architectures::=${this.#arch}`,
      "APT::Sandbox::User=root",
      "Acquire::Languages=none",
      "Acquire::Retries=2",
    ].flatMap((option) => ["-o", option]);
  }

  /**
   * Fetches the lists of packages.
   *
   * @throws {Unreachable} when there is no apt, or a suite cannot be reached.
   */
  static async open(options: AptOptions): Promise<PrivateApt> {
    const apt = new PrivateApt(options);
    for (const folder of ["lists/partial", "cache/archives/partial", "empty/partial", "packages"]) {
      await Deno.mkdir(`${options.folder}/${folder}`, { recursive: true });
    }
    const mirror = await mirrorOf();
    const lines = options.suites.map(({ archive, name }) =>
      `deb [signed-by=${KEYRING}] ${mirror}${archive} ${name} main\n`
    );
    await Deno.writeTextFile(`${options.folder}/sources.list`, lines.join(""));
    await run("apt-get", [...apt.#options, "update", "-qq", "--error-on=any"]);
    return apt;
  }

  /**
   * The newest package of a name.
   *
   * @throws {Unreachable} when there is none.
   */
  async find(pattern: RegExp): Promise<string> {
    const names = (await run("apt-cache", [...this.#options, "pkgnames"])).split("\n");
    const newest = names.filter((name) => pattern.test(name)).sort(compareVersions).at(-1);
    if (newest === undefined) throw new Unreachable(`no package is like ${pattern.source}`);
    return newest;
  }

  /**
   * Fetches a package, unless it is there from before.
   *
   * @returns Path of the .deb file.
   */
  async fetch(name: string): Promise<string> {
    const folder = `${this.#folder}/packages`;
    const args = [...this.#options, "download", `${name}:${this.#arch}`];
    const uris = await run("apt-get", [...args, "--print-uris"]);
    const file = /^'[^']*' (\S+)/m.exec(uris)?.[1];
    if (file === undefined) throw new Unreachable(`apt knows no file of package ${name}`);
    const path = `${folder}/${file}`;
    if (!(await exists(path))) await run("apt-get", [...args, "-qq"], folder);
    return path;
  }

  /**
   * Fetches packages with all that they depend on, and unpacks them into one folder.
   *
   * @param packages Their names.
   * @param folder Where to; kept until the packages change.
   */
  async unpackAll(packages: readonly string[], folder: string): Promise<void> {
    const install = ["install", "-qq", "-y", "--no-install-recommends", ...packages];
    // An empty cache: what is in it already would be left out.
    const empty = ["-o", `Dir::Cache::Archives=${this.#folder}/empty`, "--print-uris"];
    const uris = await run("apt-get", [...this.#options, ...install, ...empty]);
    const files = [...uris.matchAll(/^'[^']*' (\S+)/gm)].map(([, file = ""]) => file);
    const stamp = `${folder}.files`;
    const wanted = files.sort().join("\n");
    if (await Deno.readTextFile(stamp).catch(() => "") === wanted) return;
    await run("apt-get", [...this.#options, ...install, "--download-only"]);
    await Deno.remove(folder, { recursive: true }).catch(() => undefined);
    await Deno.mkdir(folder, { recursive: true });
    for (const file of files) {
      await unpackDeb(`${this.#folder}/cache/archives/${file}`, folder);
    }
    await Deno.writeTextFile(stamp, wanted);
  }
}

/**
 * Unpacks a package without installing it.
 *
 * @param file Path of the .deb file.
 * @param folder Where to.
 */
export async function unpackDeb(file: string, folder: string): Promise<void> {
  await run("dpkg-deb", ["--extract", file, folder]);
}

/** The mirror that this host uses, with a slash at its end. */
async function mirrorOf(): Promise<string> {
  const format = "$(REPO_URI)";
  const uris = await run("apt-get", ["indextargets", "--format", format]);
  const found = uris.split("\n").map((uri) => /^(.*\/)debian\/?$/.exec(uri)?.[1])
    .find((uri) => uri !== undefined);
  if (found === undefined) throw new Unreachable("this host's apt names no mirror of Debian");
  return found;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function run(command: string, args: readonly string[], cwd?: string): Promise<string> {
  const child = new Deno.Command(command, {
    args: [...args],
    env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(FETCH_MS_MAX),
    ...(cwd === undefined ? {} : { cwd }),
  });
  const output = await child.output().catch((cause) => {
    throw new Unreachable(`there is no ${command} on this host`, { cause });
  });
  const decoder = new TextDecoder();
  if (output.success) return decoder.decode(output.stdout);
  const lines = decoder.decode(output.stderr).trim().split("\n");
  throw new Unreachable(lines.find((line) => line.startsWith("E:")) ?? lines[0] ?? command);
}
