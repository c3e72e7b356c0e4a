// deno task bundle: makes dist/, which runs without the source tree.
//
// dist/immune.js is the whole program, dist/immune starts it with the permissions of its verb,
// dist/rules and dist/out hold what it reads: rules, the sensor's library, its
// guardian, immune-run-as.

import { run } from "./run.ts";

const DIST = "dist";
const COPIED = [
  "out/libimmune_sensor.so",
  "out/immune-guardian",
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
here=$(dirname "$(readlink -f "$0")")
deno=\${IMMUNE_DENO:-deno}
fixed="--quiet --no-prompt --no-config --no-lock --no-npm --no-remote"
environment="--allow-env=IMMUNE_*,HOME,XDG_STATE_HOME,NO_COLOR,FORCE_COLOR,CLICOLOR_FORCE"
# shellcheck disable=SC2086
plan=$("$deno" run $fixed $environment --allow-read --allow-sys=uid \\
  "$here/immune.js" permissions "$@")
# A permission or variable a line: paths may hold blanks.
IFS='
'
set -f
permissions=
for line in $plan; do
  case $line in
    # A hive that is pinned is the only one that is trusted.
    @*) unset SSL_CERT_DIR DENO_CERT NODE_EXTRA_CA_CERTS && export "\${line#@}" ;;
    *) permissions="$permissions$line$IFS" ;;
  esac
done
exec "$deno" run --quiet --no-prompt --no-config --no-lock --no-npm --no-remote \\
  $permissions "$here/immune.js" "$@"
`;

/**
 * Makes `dist/` from what was built.
 *
 * @throws {Error} when the program does not bundle.
 */
export async function bundle(): Promise<void> {
  await Deno.mkdir(`${DIST}/out`, { recursive: true });
  const code = await run([
    Deno.execPath(),
    "bundle",
    "--quiet",
    "--output",
    `${DIST}/immune.js`,
    "mod.ts",
  ]);
  if (code !== 0) throw new Error("Cannot bundle mod.ts");
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
