// Whom an entry is for: roles, sessions, exceptions, and what the host itself runs.
import { assertEquals } from "@std/assert";
import { compileRules } from "../../common/sigma/mod.ts";
import type { Tier } from "../../agent/enforce/mod.ts";
import { blocking, compile, Refusals, tierTest } from "../support/enforcement.ts";
import { CODING_AGENT, labelOf, runLabelled } from "../support/labelled.ts";
import { inFolder, present, run } from "../support/probe.ts";

/** Runs the program `$1` that opens the file `$2`. */
const OPEN = `"$1" -c ': < "$0"' "$2" && echo opened || echo refused`;
const SESSION = 0x1234_5678_9abc_def1n;
/** A user of no account. */
const SOMEBODY = 54_321;

const INFERENCE = 1;
/** A role by the name of a program's file, which anybody can give it. */
const BY_NAME = `title: Servers
role: inference
detection: { s: { Image|endswith: [/served/sh, /served/contact] }, condition: s }
`;
/** Copies the program `$1` to `$3`, and runs that with `$2`. */
const RENAMED = `mkdir -p "\${3%/*}" && cp "$1" "$3" && `;

/** Whom an entry is for, and whether a process that had both roles is refused. */
const WHOM = [
  [`roles = ["coding_agent"]`, true],
  [`roles = ["inference"]`, true],
  [`roles = ["none"]`, false],
  [`except_roles = ["inference"]`, true],
  [`except_roles = ["coding_agent"]`, true],
  [`except_roles = ["inference", "coding_agent"]`, false],
] as const;

/** A sensor that refuses, and gives the role. */
function refusalsByName(policy: string, tier: Tier): Refusals {
  const refusals = new Refusals(policy, { tiers: [tier] });
  const { interest } = compileRules([{ path: "served.yml", text: BY_NAME }]);
  refusals.probe.set({ kinds: ["exec", "fork", "exit", "verdict"], roles: interest.roles });
  return refusals;
}

/** Runs a script as an agent, for each of `WHOM`; which of them were refused. */
async function refusedByName(
  { tier, action, target, script, args }: {
    readonly tier: Tier;
    readonly action: "exec" | "open" | "connect";
    readonly target: string;
    readonly script: string;
    readonly args: readonly string[];
  },
): Promise<void> {
  using refusals = refusalsByName(blocking(action, `${target}\n${WHOM[0][0]}`), tier);
  for (const [whom, isRefused] of WHOM) {
    refusals.set(blocking(action, `${target}\n${whom}`));
    const said = await runLabelled(refusals, { role: CODING_AGENT, script, args });
    assertEquals([whom, said], [whom, isRefused ? "refused\n" : "done\n"]);
  }
  // The role in force is the last one: what else tells of the process has that.
  const refused = refusals.until(WHOM.filter(([, isRefused]) => isRefused).length);
  assertEquals(new Set(refused.map(({ role }) => role)), new Set([INFERENCE]));
}

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

for (const tier of ["lsm", "fanotify", "signal"] as const) {
  tierTest("a program that is named as another role's does not shed the role for what it starts", {
    tier,
    action: "exec",
    test: () =>
      inFolder(async (folder) => {
        const target = `${await compile("speak", folder)}`;
        const start = `"$3" -c '"$0" > /dev/null && echo done || echo refused' "$2"`;
        await refusedByName({
          tier,
          action: "exec",
          target: `paths = ["${target}"]`,
          script: RENAMED + start,
          args: ["/bin/sh", target, `${folder}/served/sh`],
        });
      }),
  });
}

for (const tier of ["lsm", "fanotify"] as const) {
  tierTest("a program that is named as another role's does not shed the role for what it opens", {
    tier,
    action: "open",
    test: () =>
      inFolder(async (folder) => {
        const path = `${folder}/id`;
        await Deno.writeTextFile(path, "secret\n");
        await refusedByName({
          tier,
          action: "open",
          target: `paths = ["${path}"]`,
          script: `${RENAMED}"$3" -c ': < "$0"' "$2" && echo done || echo refused`,
          args: ["/bin/sh", path, `${folder}/served/sh`],
        });
      }),
  });
}

for (const tier of ["lsm", "fanotify"] as const) {
  tierTest("a process that ran before has the roles of its parent too", {
    tier,
    action: "open",
    test: () =>
      inFolder(async (folder) => {
        const path = `${folder}/id`;
        await Deno.writeTextFile(path, "secret\n");
        using refusals = new Refusals(
          blocking("open", `paths = ["${path}"]\nroles = ["coding_agent"]`),
          { tiers: [tier] },
        );
        const { probe } = refusals;
        const script = `read go; (: < "$0") && echo done || echo refused`;
        const child = new Deno.Command("/bin/sh", {
          args: ["-c", `/bin/sh -c '${script}' "$1"; :`, "sh", path],
          stdin: "piped",
          stdout: "piped",
          stderr: "null",
        }).spawn();
        const below = () =>
          probe.records.find((record) => record.kind === "exec" && record.parentPid === child.pid);
        probe.until(() => below() !== undefined);
        const started = present(below());
        const parent = { pid: child.pid, startTimeNs: started.parentStartTimeNs };
        const labels = [
          labelOf(parent, { role: CODING_AGENT, session: SESSION }),
          labelOf(started, { role: INFERENCE, session: SESSION }),
        ];
        for (const label of labels) assertEquals(probe.sensor.label(label), 1);
        const writer = child.stdin.getWriter();
        await writer.write(new TextEncoder().encode("go\n"));
        await writer.close();
        const { stdout } = await child.output();
        assertEquals(new TextDecoder().decode(stdout), "refused\n");
        assertEquals(refusals.until(1)[0]?.role, INFERENCE);
      }),
  });
}

/** EPERM, of include/uapi/asm-generic/errno-base.h. */
const NOT_PERMITTED = "1";

for (const tier of ["lsm", "fanotify"] as const) {
  tierTest("a process that became another user is judged as that one", {
    tier,
    action: "open",
    test: () =>
      inFolder(async (folder) => {
        await Deno.chmod(folder, 0o755);
        const program = await compile("evade", folder);
        const path = `${folder}/file`;
        await Deno.writeTextFile(path, "");
        using refusals = new Refusals(blocking("open", `paths = ["${path}"]\nusers = [0]`), {
          tiers: [tier],
        });
        const by = async (user: number): Promise<string | undefined> =>
          (await run(program, ["user", String(user), path])).lines[1];
        assertEquals([await by(0), await by(SOMEBODY)], [NOT_PERMITTED, "0"]);
        refusals.set(blocking("open", `paths = ["${path}"]\nusers = [${SOMEBODY}]`));
        assertEquals([await by(0), await by(SOMEBODY)], ["0", NOT_PERMITTED]);
        refusals.set(blocking("open", `paths = ["${path}"]\nexcept_users = [0]`));
        assertEquals([await by(0), await by(SOMEBODY)], ["0", NOT_PERMITTED]);
        assertEquals(refusals.until(3).map(({ uid }) => uid), [0, SOMEBODY, SOMEBODY]);
      }),
  });
}

for (const tier of ["lsm", "cgroup"] as const) {
  tierTest("a program that is named as another role's does not shed the role for where it goes", {
    tier,
    action: "connect",
    test: () =>
      inFolder(async (folder) => {
        const program = await compile("contact", folder);
        const address = `127.${Deno.pid >> 8 & 0xFF}.${Deno.pid & 0xFF}.79`;
        const reach = `case "$("$3" tcp "$2" 4996)" in "1 "*) echo refused;; *) echo done;; esac`;
        await refusedByName({
          tier,
          action: "connect",
          target: `addresses = ["${address}"]`,
          script: RENAMED + reach,
          args: [program, address, `${folder}/served/contact`],
        });
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
