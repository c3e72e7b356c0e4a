import { assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT, runImmune } from "../support/immune.ts";

const REVERSE_SHELL = { Image: "/usr/bin/bash", CommandLine: "bash -c : /dev/tcp/127.0.0.1/4444" };

async function replay(
  lines: readonly string[],
): Promise<{ code: number; matches: { line: number; rule: { id: string } }[]; stderr: string }> {
  const file = await Deno.makeTempFile({ suffix: ".ndjson" });
  try {
    await Deno.writeTextFile(file, lines.join("\n"));
    const run = await runImmune(["replay", file, "--rules", `${ROOT}rules`, "--json"]);
    const matches = run.stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
    return { code: run.code, matches, stderr: run.stderr };
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("replay fires on a flat event and on its ECS form, and names the line", async () => {
  const { code, matches } = await replay([
    JSON.stringify({ Image: "/usr/bin/true", CommandLine: "true" }),
    JSON.stringify(REVERSE_SHELL),
    "",
    JSON.stringify({
      "@timestamp": "2026-01-02T03:04:05Z",
      process: {
        executable: REVERSE_SHELL.Image,
        command_line: REVERSE_SHELL.CommandLine,
      },
    }),
  ]);
  assertEquals(code, 0);
  assertEquals(matches.map((match) => match.line), [2, 4]);
  assertEquals(matches[0]?.rule.id, matches[1]?.rule.id);
});

Deno.test("replay tests the log source only where the event claims one", async () => {
  const { matches } = await replay([
    JSON.stringify({ ...REVERSE_SHELL, logsource: { category: "network_connection" } }),
    JSON.stringify({ ...REVERSE_SHELL, logsource: { category: "process_creation" } }),
  ]);
  assertEquals(matches.map((match) => match.line), [2]);
});

Deno.test("replay names lines that are no JSON object, goes on, and exits 1", async () => {
  const { code, matches, stderr } = await replay([
    "not json",
    "[1]",
    "null",
    JSON.stringify(REVERSE_SHELL),
  ]);
  assertEquals(code, 1);
  assertEquals(matches.map((match) => match.line), [4]);
  for (const line of [1, 2, 3]) assertStringIncludes(stderr, `:${line}: `);
});

Deno.test("replay of a file that is not there is one line and exit code 1", async () => {
  const { code, stderr } = await runImmune(["replay", "/nonexistent/x", "--rules", `${ROOT}rules`]);
  assertEquals(code, 1);
  assertEquals(stderr.trim().split("\n").length, 1);
  assertStringIncludes(stderr, "[FILE_UNREADABLE]");
});
