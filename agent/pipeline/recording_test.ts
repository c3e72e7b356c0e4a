import { assert, assertEquals } from "@std/assert";
import { Journal } from "../../common/journal/mod.ts";
import type { RuleSet } from "../../common/sigma/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { ReplaySensor } from "../sensors/replay.ts";
import { correlatedRules } from "./_correlation_test_support.ts";
import {
  chunksOf,
  commandLineHas,
  CONTEXT,
  execRules,
  inFolder,
  joined,
  ruleId,
  shellExec,
} from "./_pipeline_test_support.ts";
import { contextBatches } from "./context.ts";
import { JournalSink } from "./journal_sink.ts";
import { Pipeline } from "./pipeline.ts";
import { replay } from "./replay.ts";
import { replayRecording } from "./recording.ts";
import type { ReplayMatch } from "./replay_lines.ts";
import { RulesInForce } from "./rules_in_force.ts";

const RULES = execRules(commandLineHas("/dev/tcp/"), commandLineHas("odd"));
const RECORDS = Array.from(
  { length: 40 },
  (_, i) => shellExec(i + 1, "-c", i % 7 === 0 ? ": /dev/tcp/192.0.2.1/9" : i % 2 ? "odd" : "true"),
);

/** Takes a recording through sensor, engine and journal; the alerts, and the segment's path. */
async function journaled(
  folder: string,
  rules: RuleSet = RULES,
): Promise<{ segment: string; alerts: string[] }> {
  const [recording, path] = [`${folder}/recording`, `${folder}/journal`];
  await Deno.writeFile(recording, joined(RECORDS));
  const engine = await Engine.create();
  using sensor = new ReplaySensor(recording);
  using journal = Journal.open(path, {
    context: () => contextBatches({ engine, users: new Map(), rules, timeNs: 1n }),
  });
  const alerts: string[] = [];
  const context = (): typeof CONTEXT => CONTEXT;
  const onWarning = (message: string): void => assert(false, message);
  const pipeline = new Pipeline({
    source: sensor,
    engine,
    sink: new JournalSink(journal, { epoch: 1, context, bootTimeNs: () => 7n, onWarning }),
    rules: new RulesInForce(engine, rules),
    epoch: 1,
    context,
    onAlert: ({ rule, time }) => alerts.push(`${time} ${rule.id}`),
  });
  while (pipeline.step(0) > 0);
  journal.flush();
  const [name = ""] = [...Deno.readDirSync(path)].map((each) => each.name)
    .filter((each) => each.endsWith(".batches"));
  return { segment: `${path}/${name}`, alerts };
}

function shown(matches: readonly ReplayMatch[]): string[] {
  return matches.map(({ time, rule }) => `${time} ${rule.id}`);
}

Deno.test("replayRecording() raises from a journal what the pipeline raised as it wrote it", () =>
  inFolder(async (folder) => {
    const { segment, alerts } = await journaled(folder);
    assertEquals(alerts.filter((alert) => alert.endsWith(ruleId(0))).length, 6);
    const matches: ReplayMatch[] = [];
    const summary = await replay(segment, {
      ruleSet: RULES,
      onMatch: (match) => matches.push(match),
      onProblem: (line, problem) => assert(false, `${line}: ${problem}`),
    });
    assertEquals(shown(matches), alerts);
    assertEquals(summary.problems, 0);
    assert(summary.events >= RECORDS.length + alerts.length, "context and alerts are records too");
    assertEquals(new Set(matches.map((match) => match.line)).size, alerts.length);
  }));

Deno.test("replayRecording() gives what came before a cut or damage, and names it once", () =>
  inFolder(async (folder) => {
    const { segment, alerts } = await journaled(folder);
    const whole = await Deno.readFile(segment);
    for (const cut of [whole.length - 1, Math.floor(whole.length / 2), 200, 13]) {
      const matches: ReplayMatch[] = [];
      const problems: string[] = [];
      // Chunks of odd sizes: a batch's borders are not a stream's.
      const parts = [whole.slice(0, Math.min(7, cut)), whole.slice(7, cut)];
      const summary = await replayRecording(chunksOf(...parts), {
        ruleSet: RULES,
        onMatch: (match) => matches.push(match),
        onProblem: (_, problem) => problems.push(problem),
      });
      assertEquals([problems.length, summary.problems], [1, 1]);
      assertEquals(shown(matches), alerts.slice(0, matches.length));
    }
  }));

Deno.test("replayRecording() finds the correlations that the pipeline found", () =>
  inFolder(async (folder) => {
    const rules = correlatedRules(["/dev/tcp/", "odd"], [{
      type: "temporal",
      rules: ["/dev/tcp/", "odd"],
      "group-by": ["Image"],
      timespan: "10s",
      generate: true,
    }]);
    const { segment, alerts } = await journaled(folder, rules);
    assertEquals(alerts.filter((alert) => alert.endsWith(" c0")).length, 1);
    const matches: ReplayMatch[] = [];
    await replay(segment, {
      ruleSet: rules,
      onMatch: (match) => matches.push(match),
      onProblem: (line, problem) => assert(false, `${line}: ${problem}`),
    });
    assertEquals(shown(matches), alerts);
    const found = matches.find(({ rule }) => rule.id === "c0")?.correlation;
    assertEquals(found?.members.map(({ rule }) => rule), ["/dev/tcp/", "odd"]);
  }));
