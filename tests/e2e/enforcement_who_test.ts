// Whom an entry is for: roles, sessions, exceptions, and what the host itself runs.
import { assertEquals } from "@std/assert";
import { blocking, compile, Refusals, tierTest } from "../support/enforcement.ts";
import { CODING_AGENT, runLabelled } from "../support/labelled.ts";
import { inFolder, run } from "../support/probe.ts";

/** Runs the program `$1` that opens the file `$2`. */
const OPEN = `"$1" -c ': < "$0"' "$2" && echo opened || echo refused`;
const SESSION = 0x1234_5678_9abc_def1n;
/** A user of no account. */
const SOMEBODY = 54_321;

/** Whether a program of this host's shell opens a file. */
async function opens(program: string, path: string, uid = 0): Promise<boolean> {
  const { success } = await new Deno.Command(program, {
    args: ["-c", `: < "$0"`, path],
    stderr: "null",
    uid,
  }).output();
  return success;
}

/** A copy of the shell, which is called like one so that it is one. */
async function shellIn(folder: string): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.copyFile("/bin/sh", `${folder}/sh`);
  return `${folder}/sh`;
}

for (const tier of ["lsm", "fanotify"] as const) {
  tierTest("a protected program is spared by nobody's hand but the host's", {
    tier,
    action: "open",
    test: () =>
      inFolder(async (folder) => {
        await Deno.chmod(folder, 0o755);
        const program = await shellIn(`${folder}/protected`);
        const path = `${folder}/file`;
        await Deno.writeTextFile(path, "");
        const policy = `protect = ["${program}"]\n${blocking("open", `paths = ["${path}"]`)}`;
        using refusals = new Refusals(policy, { tiers: [tier] });
        assertEquals(await opens(program, path), true);
        assertEquals(await opens("/bin/sh", path), false);
        assertEquals(await opens(program, path, SOMEBODY), false);
        const by = (label: { role?: number; session?: bigint }): Promise<string> =>
          runLabelled(refusals, { ...label, script: OPEN, args: [program, path] });
        assertEquals(await by({}), "opened\n");
        assertEquals(await by({ role: CODING_AGENT }), "refused\n");
        assertEquals(await by({ session: SESSION }), "refused\n");
        assertEquals(refusals.until(4).length, 4);
      }),
  });

  tierTest("keys of people are refused to a role, or a session, but not to the exception", {
    tier,
    action: "open",
    test: () =>
      inFolder(async (folder) => {
        const [cat, ssh] = [await shellIn(`${folder}/cat`), await shellIn(`${folder}/ssh`)];
        const path = `${folder}/ada/.ssh/id`;
        await Deno.mkdir(`${folder}/ada/.ssh`, { recursive: true });
        await Deno.writeTextFile(path, "secret\n");
        const of = (whom: string): string =>
          blocking("open", `paths = ["~/.ssh/**"]\n${whom}\nexcept_programs = ["${ssh}"]`);
        using refusals = new Refusals(of(`roles = ["coding_agent"]`), {
          tiers: [tier],
          homes: [`${folder}/ada`],
        });
        const label = { role: CODING_AGENT, session: SESSION };
        const by = (program: string, session = SESSION): Promise<string> =>
          runLabelled(refusals, { ...label, session, script: OPEN, args: [program, path] });
        assertEquals([await by(cat), await by(ssh)], ["refused\n", "opened\n"]);
        assertEquals(await opens(cat, path), true);
        assertEquals(refusals.until(1)[0]?.role, CODING_AGENT);
        refusals.set(of(`sessions = ["${SESSION.toString(16)}"]`));
        assertEquals([await by(cat), await by(ssh)], ["refused\n", "opened\n"]);
        assertEquals(await by(cat, SESSION + 1n), "opened\n");
        assertEquals(await opens(cat, path), true);
        assertEquals(refusals.until(2)[1]?.session, SESSION);
      }),
  });
}

tierTest("a protected program that is labelled reaches no more than others", {
  tier: "cgroup",
  action: "connect",
  test: () =>
    inFolder(async (folder) => {
      await Deno.chmod(folder, 0o755);
      const program = await compile("contact", folder);
      const target = ["udp", `127.${Deno.pid >> 8 & 0xFF}.${Deno.pid & 0xFF}.78`, "4997"];
      const policy = blocking("connect", `addresses = ["${target[1]}"]`);
      using refusals = new Refusals(`protect = ["${program}"]\n${policy}`, { tiers: ["cgroup"] });
      const isRefused = (line = ""): boolean => line.startsWith("1 ");
      assertEquals(isRefused((await run(program, target)).lines[0]), false);
      const said = await runLabelled(refusals, {
        role: CODING_AGENT,
        script: `"$@"`,
        args: [program, ...target],
      });
      assertEquals(isRefused(said), true, said);
      assertEquals(refusals.until(1).length, 1);
    }),
});
