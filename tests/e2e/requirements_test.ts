import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { canLoadSensor } from "../support/host.ts";
import { ROOT, type Run, runImmune } from "../support/immune.ts";

const ignore = !canLoadSensor();

/**
 * An unprivileged user that can still read this tree, wherever it lies. The cache of packages is
 * mounted where every user may look: access(2) ignores capabilities of one that is not root.
 */
const UNPRIVILEGED = [
  "unshare",
  "--mount",
  "bash",
  "-c",
  `mount --bind "\${DENO_DIR:-\${XDG_CACHE_HOME:-$HOME/.cache}/deno}" /mnt &&
    unset DENO_COVERAGE_DIR && DENO_DIR=/mnt exec setpriv --reuid=65534 --clear-groups \\
      --inh-caps=+dac_read_search --ambient-caps=+dac_read_search "$@"`,
  "_",
];
const FOREIGN_PIDS = ["unshare", "--pid", "--fork", "--mount-proc"];

/** Every verb that needs the sensor says the same: a line each, remedy, what works, exit code 1. */
async function assertRefused(
  says: readonly string[],
  how: { readonly prefix?: readonly string[]; readonly args?: readonly string[] },
): Promise<void> {
  const { prefix = [], args = [] } = how;
  const state = await Deno.makeTempDir();
  try {
    const verbs = [["watch"], ["events", "tail"], ["doctor"]];
    for (const verb of verbs) {
      const run = await runImmune([...verb, "--state", state, ...args], { prefix });
      const lines = linesOf(verb[0] === "doctor" ? run.stdout : run.stderr);
      assertEquals(run.code, 1, run.stderr);
      assertEquals(lines.length, says.length, lines.join("\n"));
      says.forEach((what, i) => assertStringIncludes(lines[i] ?? "", what));
      for (const line of lines) assertMatch(line, /: .+; "immune replay" works/);
      assert(!/^\s+at |Uncaught|Stack backtrace/m.test(run.stderr), run.stderr);
    }
    assertEquals([...Deno.readDirSync(state)].length, 0, "nothing is written before the check");
  } finally {
    await Deno.remove(state, { recursive: true });
  }
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

test("an unprivileged user is told what to do, and can replay", async () => {
  // Fetches what the program is made of, which that user cannot put into this user's cache.
  assertEquals((await runImmune(["version"])).code, 0);
  await assertRefused(["User id 65534 may not load the sensor"], { prefix: UNPRIVILEGED });
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, '{"CommandLine":"bash -c : /dev/tcp/192.0.2.1/9"}\n');
  const args = ["replay", file, "--rules", `${ROOT}rules/linux`, "--json"];
  const { code, stdout, stderr }: Run = await runImmune(args, { prefix: UNPRIVILEGED });
  await Deno.remove(file);
  assertEquals([code, stderr, linesOf(stdout).length], [0, "", 1]);
});

for (const name of ["net_admin", "sys_admin"]) {
  test(`root without CAP_${name.toUpperCase()} is told so`, async () => {
    await assertRefused([`Capability CAP_${name.toUpperCase()} is missing`], {
      prefix: ["setpriv", `--bounding-set=-${name}`],
    });
  });
}

test("root without CAP_SYS_PTRACE watches, and is told what it does not see", async () => {
  const { code, stdout } = await runImmune(["doctor"], {
    prefix: ["setpriv", "--bounding-set=-sys_ptrace"],
  });
  assertEquals(code, 0);
  assertStringIncludes(stdout, "Capability CAP_SYS_PTRACE is missing");
});

test("kernel types that are not there, or are no types, are named with the flag", async () => {
  await assertRefused(['No kernel types (BTF) at "/nonexistent"'], {
    args: ["--btf", "/nonexistent"],
  });
  await assertRefused(['No kernel types (BTF) at "/etc/passwd"'], {
    args: ["--btf", "/etc/passwd"],
  });
});

test("a pid namespace of its own is refused, tested live", async () => {
  await assertRefused(["This is not the host's pid namespace"], { prefix: FOREIGN_PIDS });
});
