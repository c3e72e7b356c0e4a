import { assert, assertEquals } from "@std/assert";
import { existsSync } from "node:fs";
import { ImageReader } from "./_image_test_support.ts";
import { compileRules, readRuleSources, verifyImage } from "./mod.ts";

const CORPUS = new URL("../../../shared/corpora/sigma", import.meta.url).pathname;
const ignore = !existsSync(CORPUS);

/** What rules of the corpus use beyond this version. */
const MISSING: ReadonlySet<string> = new Set([
  "keyword search",
  "modifier cidr",
  "modifier fieldref",
  "modifier re",
  "modifier windash",
]);

/**
 * Recorded events that stand beside the ones that their rule is about, and do not fulfil it: files
 * with other names, and an event without the field that the rule asks for.
 */
const BESIDE: ReadonlyMap<string, number> = new Map([
  ["8fbf3271-1ef6-4e94-8210-03c2317947f6", 3],
  ["0b9ad457-2554-44c1-82c2-d56a99c42377", 2],
  ["d4f1a2b3-7c8e-4d5f-b6a9-1e0c2d3f4e5b", 1],
]);

interface Recorded {
  readonly rule: string;
  readonly event: Readonly<Record<string, unknown>>;
}

Deno.test({
  name: "the Sigma corpus loads, and what does not uses what this version lacks",
  ignore,
  async fn(): Promise<void> {
    const sources = await readRuleSources(CORPUS);
    const { rules, rejected, image, hash } = compileRules(sources);
    assertEquals(rules.length + rejected.length, sources.length);
    for (const { path, code, reason, feature } of rejected) {
      assertEquals(code, "RULE_UNSUPPORTED", `${path}: ${reason}`);
      assert(MISSING.has(feature ?? ""), `${path}: ${reason}`);
    }
    assert(rules.length >= 180, `${rules.length} of ${sources.length} loaded`);
    assertEquals(verifyImage(image), hash);
  },
});

Deno.test({
  name: "the Sigma corpus's recorded events fire their rules",
  ignore,
  async fn(): Promise<void> {
    const set = compileRules(await readRuleSources(CORPUS));
    const reader = new ImageReader(set.image, set.fields);
    const indexById = new Map(set.rules.map(({ id }, index) => [id, index]));
    const missed = new Map<string, number>();
    let fired = 0;
    const lines = await Deno.readTextFile(`${CORPUS}/conformance/events.ndjson`);
    for (const line of lines.trim().split("\n")) {
      const { rule, event } = JSON.parse(line) as Recorded;
      const index = indexById.get(rule);
      if (index === undefined) continue;
      const fields = Object.entries(event).filter(([, value]) => value !== null)
        .map(([name, value]): [string, string] => [name, String(value)]);
      if (reader.fire(new Map(fields)).includes(index)) fired++;
      else missed.set(rule, (missed.get(rule) ?? 0) + 1);
    }
    assertEquals(missed, BESIDE);
    assert(fired >= 96, `${fired} events fired their rule`);
  },
});
