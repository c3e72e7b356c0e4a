// Programs for and of another architecture, none of which is installed.

import { PrivateApt, unpackDeb, Unreachable } from "./apt.ts";
import { FOLDER } from "./fetch.ts";
import { BOOKWORM, type GuestArch } from "./kernels.ts";

/** The linker, which runs here; it uses the LLVM that clang brought. */
const LINKER_PACKAGE = /^lld-14$/;
const LINKER_PATH = "usr/lib/llvm-14/bin/ld.lld";
/** npm packages of Deno's programs. */
const DENO_PACKAGES: Readonly<Record<GuestArch, string>> = {
  x86_64: "@deno/linux-x64-glibc",
  aarch64: "@deno/linux-arm64-glibc",
};

/**
 * A linker of this host that links for others.
 *
 * @returns Its path.
 * @throws {Unreachable} when it cannot be had.
 */
export async function foreignLinker(): Promise<string> {
  const folder = `${FOLDER}/linker`;
  const path = `${folder}/${LINKER_PATH}`;
  if (await exists(path)) return path;
  const apt = await PrivateApt.open({
    folder: `${FOLDER}/apt-linker`,
    arch: "x86_64",
    suites: [BOOKWORM],
  });
  await unpackDeb(await apt.fetch(await apt.find(LINKER_PACKAGE)), folder);
  return path;
}

/**
 * Deno of this version for another architecture, from its npm package.
 *
 * @param arch Which.
 * @returns Path of the program.
 * @throws {Unreachable} when it cannot be had.
 */
export async function foreignDeno(arch: GuestArch): Promise<string> {
  const folder = `${FOLDER}/deno-${Deno.version.deno}-${arch}`;
  const path = `${folder}/package/deno`;
  if (await exists(path)) return path;
  await Deno.mkdir(folder, { recursive: true });
  const name = DENO_PACKAGES[arch];
  const file = await run("npm", ["pack", "--silent", `${name}@${Deno.version.deno}`], folder);
  await run("tar", ["-xzf", file.trim().split("\n").at(-1) ?? ""], folder);
  return path;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const child = new Deno.Command(command, { args: [...args], cwd, stdin: "null" });
  const output = await child.output().catch((cause) => {
    throw new Unreachable(`there is no ${command} on this host`, { cause });
  });
  const decoder = new TextDecoder();
  if (output.success) return decoder.decode(output.stdout);
  throw new Unreachable(decoder.decode(output.stderr).trim().split("\n")[0] ?? command);
}
