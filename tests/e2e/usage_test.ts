import { assertEquals, assertStringIncludes } from "@std/assert";
import { runImmune } from "../support/immune.ts";
import { runVerb } from "../support/up.ts";

for (
  const args of [
    ["bogus"],
    ["constructor"],
    ["watch", "--bogus"],
    ["replay"],
    ["rules", "check"],
    ["events", "tail", "--kinds", "nothing"],
    [],
  ]
) {
  Deno.test(`"immune ${args.join(" ")}" is wrong usage: exit code 2, help named`, async () => {
    const { code, stderr, stdout } = await runImmune(args);
    assertEquals(code, 2);
    assertEquals(stdout, "");
    assertStringIncludes(stderr, "immune");
  });
}

for (
  const args of [
    ["watch"],
    ["events", "tail"],
    ["replay"],
    ["rules", "check"],
    ["doctor"],
    [
      "config",
      "show",
    ],
    ["version"],
    ["permissions"],
    [],
  ]
) {
  Deno.test(`"immune ${args.join(" ")} --help" explains itself`, async () => {
    const { code, stdout } = await runImmune([...args, "--help"]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "Usage: immune");
  });
}

Deno.test("version --json names every format", async () => {
  const { code, stdout } = await runImmune(["version", "--json"]);
  assertEquals(code, 0);
  assertEquals(Object.keys(JSON.parse(stdout)), [
    "immune",
    "deno",
    "platform",
    "record",
    "batch",
    "rule_image",
  ]);
});

Deno.test("permissions VERB says what the launcher starts it with", async () => {
  const { code, stdout, stderr } = await runImmune([
    "permissions",
    "threats",
    "--console",
    "[::1]:7",
  ]);
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.trimEnd().split("\n");
  assertEquals(lines[0], "=immune-operator.js");
  assertEquals(lines.filter((line) => line.startsWith("--allow-net")), ["--allow-net=[::1]:7"]);
});

Deno.test("permissions VERB --help is of that verb, which then gets nothing", async () => {
  const { stdout } = await runImmune(["permissions", "watch", "--help"]);
  assertEquals(stdout.split("\n")[0], "=immune-watch.js");
  assertEquals(/--allow-(read|write|ffi)/.test(stdout), false);
});

Deno.test("config show and doctor name variables that name no setting, and never their values", async () => {
  const environment = {
    IMMUNE_SENSR_OPEN: "a-word-of-its-own",
    IMMUNE_STATE: "/nonexistent/immune",
  };
  const shown = await runImmune(["config", "show"], { environment });
  assertEquals(shown.code, 0, shown.stderr);
  assertStringIncludes(
    shown.stderr,
    '"IMMUNE_SENSR_OPEN" names no setting and is not used; is "IMMUNE_SENSOR_OPEN" meant',
  );
  assertStringIncludes(shown.stdout, "environment IMMUNE_STATE");
  const lines = await runImmune(["config", "show", "--json"], { environment });
  assertStringIncludes(lines.stdout, '{"unknownVariable":"IMMUNE_SENSR_OPEN"}\n');
  const doctor = await runImmune(["doctor", "--json"], { environment });
  const { unknownVariables } = JSON.parse(doctor.stdout);
  assertEquals([unknownVariables.includes("IMMUNE_SENSR_OPEN")], [true]);
  for (const { stdout, stderr } of [shown, lines, doctor]) {
    assertEquals(`${stdout}${stderr}`.includes("a-word-of-its-own"), false);
  }
});

Deno.test("doctor --port --json says who listens as one object", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const { code, stdout } = await runImmune(["doctor", "--port", String(port), "--json"]);
  // Whose it is at another address of this host is told as well: not only this process is right.
  const { name, pid, ...asked } = JSON.parse(stdout);
  assertEquals([code, typeof name, typeof pid, asked], [0, "string", "number", { port }]);
});

Deno.test("settings of the hive alone are flags of those verbs that start it", async () => {
  for (const args of [["hive"], ["up"], ["config", "show"]]) {
    const { stdout } = await runImmune([...args, "--help"]);
    assertStringIncludes(stdout, "--two-person <act>");
    assertStringIncludes(stdout, "--oidc-issuer");
  }
  for (const args of [["agents", "list"], ["agent"], ["ca", "revoke"], ["status"]]) {
    const { stdout } = await runImmune([...args, "--help"]);
    assertEquals([args, /--two-person|--oidc/.test(stdout)], [args, false]);
  }
  const { code, stderr } = await runImmune(["status", "--two-person", "user.role"]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "--two-person");
});

Deno.test("dist/immune keeps the exit codes, whichever part of it finds the mistake", async () => {
  for (
    const [args, code, says] of [
      [["constructor"], 2, "unknown command"],
      [["config", "show", "--state", "/srv/a\nb"], 2, "[CONFIG_INVALID]"],
    ] as const
  ) {
    const run = await runVerb(...args);
    assertEquals([run.code, run.stdout], [code, ""], run.stderr);
    assertStringIncludes(run.stderr, says);
  }
});
