import { assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";

const RUN_AS = fileURLToPath(new URL("../../out/immune-run-as", import.meta.url));
/** Not a user of anybody. */
const NOBODY = "65534:65534";

const ignore = Deno.build.os !== "linux" || Deno.uid() !== 0;

async function runAs(
  ...args: string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(RUN_AS, { args }).output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** A line of /proc/self/status of the program that was started. */
function statusOf(status: string, name: string): string {
  return new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(status)?.[1]?.trim() ?? "";
}

Deno.test({
  name: "immune-run-as leaves another user nothing, for good",
  ignore,
  fn: async () => {
    const { code, stdout } = await runAs("--user", NOBODY, "/usr/bin/cat", "/proc/self/status");
    assertEquals(code, 0);
    assertEquals(statusOf(stdout, "Uid"), "65534\t65534\t65534\t65534");
    assertEquals(statusOf(stdout, "Gid"), "65534\t65534\t65534\t65534");
    assertEquals(statusOf(stdout, "Groups"), "");
    assertEquals(statusOf(stdout, "CapEff"), "0000000000000000");
    assertEquals(statusOf(stdout, "CapPrm"), "0000000000000000");
    assertEquals(statusOf(stdout, "NoNewPrivs"), "1");
  },
});

Deno.test({
  name: "immune-run-as leaves root the named capabilities and no others, also after an exec",
  ignore,
  fn: async () => {
    const { stdout } = await runAs(
      "--caps",
      "bpf,perfmon",
      "/bin/sh",
      "-c",
      "exec cat /proc/self/status",
    );
    const only = (1n << 39n | 1n << 38n).toString(16).padStart(16, "0");
    for (const set of ["CapEff", "CapPrm", "CapBnd"]) assertEquals(statusOf(stdout, set), only);
    assertEquals(statusOf(stdout, "CapInh"), "0000000000000000");
  },
});

Deno.test({
  name: "immune-run-as starts a program that lies where the user may not look",
  ignore,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      await Deno.chmod(folder, 0o700);
      await Deno.copyFile("/usr/bin/id", `${folder}/id`);
      const { code, stdout } = await runAs("--user", NOBODY, `${folder}/id`, "-u");
      assertEquals([code, stdout.trim()], [0, "65534"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "immune-run-as names the folder that is closed on the way to what the program reads",
  ignore,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      const file = `${folder}/state/program.js`;
      await Deno.mkdir(`${folder}/state`);
      await Deno.writeTextFile(file, "");
      const start = (): ReturnType<typeof runAs> =>
        runAs("--user", NOBODY, "--reads", file, "/bin/true");
      await Deno.chmod(folder, 0o700);
      const { code, stderr } = await start();
      assertEquals(code, 126);
      assertEquals(
        stderr,
        `immune-run-as: Cannot reach "${file}" as user 65534, as "${folder}" is closed to it: ` +
          "Permission denied; open that, or have the file elsewhere\n",
      );
      await Deno.chmod(folder, 0o711);
      assertEquals((await start()).code, 0);
      await Deno.chmod(file, 0o600);
      assertStringIncludes((await start()).stderr, `"${file}" is closed`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

for (
  const [what, args] of Object.entries({
    "root as the other user": ["--user", "0:0", "/bin/true"],
    "a user without a group": ["--user", "65534", "/bin/true"],
    "a capability that it does not know": ["--caps", "bpf,everything", "/bin/true"],
    "an option that it does not know": ["--chroot", "/", "/bin/true"],
    "an option without a value": ["--user"],
    "no program": ["--caps", "bpf"],
  })
) {
  Deno.test({
    name: `immune-run-as refuses ${what} in one line`,
    ignore,
    fn: async () => {
      const { code, stderr } = await runAs(...args);
      assertEquals(code, 2);
      assertEquals(stderr.trim().split("\n").length, 1);
      assertStringIncludes(stderr, "immune-run-as: Cannot use");
    },
  });
}

Deno.test({
  name: "immune-run-as says what it cannot start",
  ignore,
  fn: async () => {
    const { code, stderr } = await runAs("--caps", "bpf", "/nonexistent/program");
    assertEquals(code, 126);
    assertStringIncludes(stderr, "Cannot open the program: No such file");
  },
});
