import { assert, assertEquals } from "@std/assert";
import { existsSync } from "node:fs";
import { FlatMatcher } from "../../agent/pipeline/flat_matcher.ts";
import { compileRules, readRuleSources } from "../../common/sigma/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { SIGMA_CORPUS } from "../support/sigma_corpus.ts";

/**
 * Recorded events that do not fulfil their own rule's text: files with other names that were
 * recorded beside the one that fires (`procdump.exe:Zone.Identifier` does not end with
 * `\procdump.exe`, `service.conf` is not `user.conf`), and an event without the field that is asked
 * for. They would fire under no reading of the language.
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
  name: "the Sigma corpus's recorded events fire their rules",
  ignore: !existsSync(SIGMA_CORPUS),
  async fn(): Promise<void> {
    const set = compileRules(await readRuleSources(SIGMA_CORPUS));
    const flat = new FlatMatcher(await Engine.create(), set);
    const missed = new Map<string, number>();
    let fired = 0;
    const lines = await Deno.readTextFile(`${SIGMA_CORPUS}/conformance/events.ndjson`);
    for (const line of lines.trim().split("\n")) {
      const { rule, event } = JSON.parse(line) as Recorded;
      if (flat.match(event).rules.some(({ id }) => id === rule)) fired++;
      else missed.set(rule, (missed.get(rule) ?? 0) + 1);
    }
    assertEquals(missed, BESIDE);
    assert(fired >= 110, `${fired} events fired their rule`);
  },
});
