import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { ImmuneError } from "../../common/config/errors.ts";
import { RECORD_BYTES_MAX } from "../../common/record/mod.ts";
import { correlatedRules } from "./_correlation_test_support.ts";
import { chunksOf, commandLineHas, execRules } from "./_pipeline_test_support.ts";
import { LINE_BYTES_MAX, replayLines, type ReplayMatch } from "./replay_lines.ts";

const RULES = execRules(commandLineHas("wanted"));
const UTF8 = new TextEncoder();

interface Replayed {
  readonly matched: number[];
  readonly problems: [number, string][];
  readonly notices: [number, string][];
  readonly events: number;
}

async function replay(...parts: readonly Uint8Array[]): Promise<Replayed> {
  const [matched, problems, notices]: [number[], [number, string][], [number, string][]] = [
    [],
    [],
    [],
  ];
  const summary = await replayLines(chunksOf(...parts), {
    ruleSet: RULES,
    onMatch: ({ line }) => matched.push(line),
    onProblem: (line, problem) => problems.push([line, problem]),
    onNotice: (line, notice) => notices.push([line, notice]),
  });
  assertEquals([summary.matches, summary.problems], [matched.length, problems.length]);
  return { matched, problems, notices, events: summary.events };
}

function event(commandLine: string): string {
  return JSON.stringify({ CommandLine: commandLine });
}

Deno.test("replayLines() gives the same lines, chunks cut anywhere", async () => {
  const text = [event("wanted é"), "", "no event", `${event("wanted")}\r`, event("not")].join("\n");
  const bytes = UTF8.encode(text);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 12 }), async (cuts) => {
      const borders = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const parts = borders.slice(1).map((end, i) => bytes.slice(borders[i], end));
      const { matched, problems, events } = await replay(...parts);
      assertEquals([matched, problems.map(([line]) => line), events], [[1, 4], [3], 3]);
    }),
    { numRuns: 50 },
  );
});

Deno.test("replayLines() takes a line of its bound and names one over it, then goes on", async () => {
  const frame = event("").length;
  const longest = event("x".repeat(LINE_BYTES_MAX - frame));
  const { problems, events, matched } = await replay(
    UTF8.encode(`${longest}\n`),
    UTF8.encode(longest),
    UTF8.encode(` \n${event("wanted")}\n${longest} `),
  );
  assertEquals(problems.map(([line]) => line), [2, 4]);
  assertStringIncludes(problems[0]?.[1] ?? "", String(LINE_BYTES_MAX));
  assertEquals([events, matched], [2, [3]]);
});

Deno.test("replayLines() says when an event had to be cut, and counts it as an event", async () => {
  const { notices, problems, matched, events } = await replay(
    UTF8.encode(`${event("wanted")}\n${event(`wanted ${"x".repeat(RECORD_BYTES_MAX)}`)}\n`),
  );
  assertEquals(notices.map(([line]) => line), [2]);
  assertStringIncludes(notices[0]?.[1] ?? "", String(RECORD_BYTES_MAX));
  assertEquals([problems, matched, events], [[], [1, 2], 2]);
});

Deno.test("replayLines() reads bytes that are no UTF-8, a mark at the start, NUL", async () => {
  const { matched, problems } = await replay(
    new Uint8Array([0xEF, 0xBB, 0xBF]),
    UTF8.encode(`${event("wanted")}\n{"CommandLine":"wanted`),
    new Uint8Array([0xFF, 0xFE]),
    UTF8.encode(`"}\n\0\0\n${event("\0wanted")}`),
  );
  assertEquals([matched, problems.map(([line]) => line)], [[1, 2, 4], [3]]);
});

Deno.test("replayLines() names every line that is no object, whatever the bytes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
      const { matched, problems, events } = await replay(bytes);
      const lines = new TextDecoder().decode(bytes).split("\n").filter((line) =>
        line.trim() !== ""
      );
      assertEquals([matched, events], [[], 0]);
      assert(problems.length <= lines.length);
    }),
  );
});

Deno.test("replayLines() ends with what its caller throws", async () => {
  const stop = new ImmuneError("OUTPUT_UNWRITABLE", "Cannot write");
  const failing = replayLines(chunksOf(UTF8.encode(event("wanted"))), {
    ruleSet: RULES,
    onMatch: () => {
      throw stop;
    },
    onProblem: () => {},
  });
  assertEquals(await assertRejects(() => failing, ImmuneError), stop);
});

Deno.test("replayLines() finds correlations at the times of the events, members among it", async () => {
  const ruleSet = correlatedRules(["fetch", "launch"], [
    {
      type: "temporal_ordered",
      rules: ["fetch", "launch"],
      "group-by": ["User"],
      timespan: "1m",
    },
  ]);
  const line = (CommandLine: string, time: string, User = "ann"): string =>
    JSON.stringify({ "@timestamp": `2026-01-01T00:${time}Z`, CommandLine, user: { name: User } });
  const lines = [
    line("launch", "00:00"),
    line("fetch", "00:10"),
    line("launch", "00:20", "eve"),
    line("launch", "01:11"),
    line("fetch", "02:00"),
    line("launch", "02:50"),
  ];
  const found: [ReplayMatch, boolean][] = [];
  await replayLines(chunksOf(UTF8.encode(lines.join("\n"))), {
    ruleSet,
    onMatch: (match, { isSilent }) => found.push([match, isSilent]),
    onProblem: (_, problem) => assert(false, problem),
  });
  assertEquals(found.map(([{ line, rule }, silent]) => [line, rule.id, silent]), [
    [1, "launch", true],
    [2, "fetch", true],
    [3, "launch", true],
    [4, "launch", true],
    [5, "fetch", true],
    [6, "launch", true],
    [6, "c0", false],
  ]);
  assertEquals(found.at(-1)?.[0].correlation?.members.map(({ event }) => event), [
    "line 5",
    "line 6",
  ]);
});
