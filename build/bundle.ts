// deno task bundle: makes dist/, which runs without the source tree.
//
// Each program and each Worker is a file of its own, so that none loads what only others need.
// dist/immune starts the program of a verb with the permissions of the verb, dist/rules and dist/out
// hold what it reads: rules, the sensor's library, its guardian and hasher, immune-run-as.

import { REQUEST_MODULE } from "../agent/enrol/renew.ts";
import { AGENT_WORKERS } from "../agent/workers.ts";
import { PERMISSIONS_PROGRAM, VERBS_PROGRAMS, WHOLE_PROGRAM } from "../cli/programs.ts";
import { HIVE_WORKERS } from "../hive/workers.ts";
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
  await Deno.remove(`${DIST}/rules`, { recursive: true }).catch(() => undefined);
  await copyRules("rules");
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
  ...["agent", "build", "cli", "common", "hive", "rules", "wasm"],
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
    for (const { name, source } of MODULES) {
      await Deno.rename(`${made}/${source.replace(/\.ts$/, ".js")}`, `${DIST}/${name}.js`);
    }
  } finally {
    await Deno.remove(made, { recursive: true });
  }
}

async function copyRules(folder: string): Promise<void> {
  await Deno.mkdir(`${DIST}/${folder}`, { recursive: true });
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) await copyRules(path);
    else if (/\.(ya?ml|json)$/.test(entry.name)) await Deno.copyFile(path, `${DIST}/${path}`);
  }
}

if (import.meta.main) await bundle();
