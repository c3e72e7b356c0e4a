import { assert, assertEquals, assertThrows } from "@std/assert";
import { ImmuneError } from "../../common/config/errors.ts";
import type { Alert } from "../../common/wire/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { commandLineHas, CONTEXT, execRules, joined, shellExec } from "./_pipeline_test_support.ts";
import { Pipeline } from "./pipeline.ts";
import { RulesInForce } from "./rules_in_force.ts";

const ODD = execRules(commandLineHas("odd"));
const BOTH = execRules(commandLineHas("even"), commandLineHas("odd"));
const BATCH = joined(Array.from(
  { length: 10 },
  (_, i) => shellExec(i + 1, "-c", i % 2 === 0 ? "even" : "odd"),
));

Deno.test("RulesInForce takes others over between two batches: each alert has its own hash", async () => {
  const engine = await Engine.create();
  const rules = new RulesInForce(engine, ODD);
  const alerts: Alert[] = [];
  const pipeline = new Pipeline({
    source: {
      poll: (view) => (view.set(BATCH), BATCH.length),
      stats: () => [],
    },
    engine,
    rules,
    epoch: 1,
    context: () => CONTEXT,
    onAlert: (alert) => alerts.push(alert),
  });
  const expected = new Map([[ODD.hash, 5], [BOTH.hash, 10]]);
  let batches = 0;
  for (let reload = 0; reload < 50; reload++) {
    rules.begin(reload % 2 === 0 ? BOTH : ODD);
    for (let isReloaded = false; !isReloaded; batches++) {
      const { hash } = rules.now;
      alerts.length = 0;
      pipeline.step(0);
      assertEquals(alerts.length, expected.get(hash));
      assert(alerts.every(({ rule }) => rule.ruleset === hash));
      const reloaded = rules.step();
      isReloaded = reloaded !== undefined;
      if (isReloaded) assertEquals(reloaded?.hash, rules.now.hash);
    }
  }
  assertEquals(pipeline.records, batches * 10);
  assertEquals(engine.generation, 51);
});

Deno.test("RulesInForce keeps its rules when others are damaged", async () => {
  const rules = new RulesInForce(await Engine.create(), ODD);
  const image = BOTH.image.slice();
  image[200] = (image[200] ?? 0) ^ 0xFF;
  rules.begin({ ...BOTH, image });
  assertThrows(() => {
    while (rules.step() === undefined);
  }, ImmuneError);
  assert(!rules.isReloading);
  assertEquals(rules.now.hash, ODD.hash);
});
