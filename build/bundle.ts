// deno task bundle: makes dist/, which runs without the source tree.
//
// Each program and each Worker is a file of its own, so that none loads what only others need.
// dist/immune starts the program of a verb with the permissions of the verb, dist/rules and dist/out
// hold what it reads: rules, the sensor's library, its guardian and hasher, immune-run-as. Beside
// them lie the texts with their pictures, units for systemd, and the licences of what is bundled.

import { REQUEST_MODULE } from "../agent/enrol/renew.ts";
import { AGENT_WORKERS } from "../agent/workers.ts";
import { PERMISSIONS_PROGRAM, VERBS_PROGRAMS, WHOLE_PROGRAM } from "../cli/programs.ts";
import { HIVE_WORKERS } from "../hive/workers.ts";
import { notices } from "./notices.ts";
import { run } from "./run.ts";

const DIST = "dist";
/** What a file of its own in `dist/` is made from. */
const MODULES = [
  WHOLE_PROGRAM,
  PERMISSIONS_PROGRAM,
  ...VERBS_PROGRAMS,
  REQUEST_MODULE,
  ...AGENT_WORKERS,
  ...HIVE_WORKERS,
];
const COPIED = [
  "out/libimmune_sensor.so",
  "out/immune-guardian",
  "out/immune-hasher",
  "out/immune-run-as",
  "LICENSE",
  "README.md",
] as const;
/** Folders with what is copied, by its name, and where it goes in `dist/`. */
const COPIED_FOLDERS: readonly {
  readonly from: string;
  readonly to: string;
  readonly what: RegExp;
}[] = [
  { from: "rules", to: "rules", what: /\.(ya?ml|json)$/ },
  { from: "specs", to: "specs", what: /\.(md|png)$/ },
  { from: "build/service", to: "service", what: /\.service$/ },
];

/** The launcher: asks the program which permissions its verb needs, then starts it with them. */
const LAUNCHER = `#!/bin/sh
# SPDX-License-Identifier: MIT
# Starts Sentinel Immune with the permissions of its verb. IMMUNE_DENO names Deno when it is not
# on the PATH.
set -eu
here=$(readlink -f "$0")
here=\${here%/*}
deno=\${IMMUNE_DENO:-deno}
fixed="--quiet --no-prompt --no-config --no-lock --no-npm --no-remote"
environment="--allow-env=IMMUNE_*,HOME,XDG_STATE_HOME,NO_COLOR,FORCE_COLOR,CLICOLOR_FORCE"
# shellcheck disable=SC2086
plan=$("$deno" run $fixed $environment --allow-read --allow-sys=uid \\
  "$here/${PERMISSIONS_PROGRAM.name}.js" "$@")
# The program, a permission or a variable a line: paths may hold blanks.
IFS='
'
set -f
permissions=
for line in $plan; do
  case $line in
    # A hive that is pinned is the only one that is trusted.
    @*) unset SSL_CERT_DIR DENO_CERT NODE_EXTRA_CA_CERTS && export "\${line#@}" ;;
    =*) program=\${line#=} ;;
    *) permissions="$permissions$line$IFS" ;;
  esac
done
exec "$deno" run --quiet --no-prompt --no-config --no-lock --no-npm --no-remote \\
  $permissions "$here/$program" "$@"
`;

/**
 * Makes `dist/` from what was built.
 *
 * @throws {Error} when the program does not bundle.
 */
export async function bundle(): Promise<void> {
  const began = new Date();
  await Deno.mkdir(`${DIST}/out`, { recursive: true });
  await bundlePrograms();
  for (const path of COPIED) {
    const target = `${DIST}/${path}`;
    // Replaced, not overwritten: a running program keeps the file that it has open.
    await Deno.remove(target).catch(() => undefined);
    await Deno.copyFile(path, target).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
  for (const { from, to, what } of COPIED_FOLDERS) {
    await Deno.remove(`${DIST}/${to}`, { recursive: true }).catch(() => undefined);
    await copyFolder(from, { to: `${DIST}/${to}`, what });
  }
  await Deno.writeTextFile(`${DIST}/immune`, LAUNCHER);
  await Deno.chmod(`${DIST}/immune`, 0o755);
  await Deno.writeTextFile(STAMP, "");
  // What changes meanwhile is not in it.
  await Deno.utime(STAMP, began, began);
}

/** Made last of all: what it is made from is older. */
const STAMP = `${DIST}/stamp`;
/** What `dist/` is made from. */
const SOURCES = [
  ...["agent", "build", "cli", "common", "hive", "rules", "specs", "wasm"],
  ...["mod.ts", "deno.lock", "out/engine.wasm"],
  ...COPIED,
];

/**
 * Makes `dist/` where it is not there, or older than what it is made from.
 *
 * @throws {Error} as {@linkcode bundle}.
 */
export async function bundleIfStale(): Promise<void> {
  const made = (await Deno.stat(STAMP).catch(() => undefined))?.mtime?.getTime() ?? -Infinity;
  const newest = await Promise.all(SOURCES.map(newestIn));
  if (Math.max(...newest) >= made) await bundle();
}

/** When a file, or the newest one below a folder, was written; tests make no program. */
async function newestIn(path: string): Promise<number> {
  const info = await Deno.stat(path).catch(() => undefined);
  const time = info?.mtime?.getTime() ?? -Infinity;
  if (!info?.isDirectory) return time;
  // A folder is as new as the last file that came or went.
  const times = [time];
  for await (const { name } of Deno.readDir(path)) {
    if (!/_test\.tsx?$/.test(name)) times.push(await newestIn(`${path}/${name}`));
  }
  return Math.max(...times);
}

async function bundlePrograms(): Promise<void> {
  const made = await Deno.makeTempDir({ dir: "out" });
  const sources = MODULES.map(({ source }) => source);
  const command = [Deno.execPath(), "bundle", "--quiet", "--outdir", made, ...sources];
  try {
    if (await run(command) !== 0) throw new Error("Cannot bundle the program");
    const files = MODULES.map(({ source }) => `${made}/${source.replace(/\.ts$/, ".js")}`);
    const texts = await Promise.all(files.map((file) => Deno.readTextFile(file)));
    await Deno.writeTextFile(`${DIST}/NOTICES.txt`, await notices(texts));
    for (const [i, { name }] of MODULES.entries()) {
      await Deno.rename(files[i] ?? "", `${DIST}/${name}.js`);
    }
  } finally {
    await Deno.remove(made, { recursive: true });
  }
}

async function copyFolder(
  from: string,
  { to, what }: { readonly to: string; readonly what: RegExp },
): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, { to: `${to}/${name}`, what });
    else if (what.test(name)) await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

if (import.meta.main) await bundle();
