import { assert, assertEquals } from "@std/assert";
import { existsSync } from "node:fs";
import { SIGMA_CORPUS } from "../../tests/support/sigma_corpus.ts";
import { compileRules, readRuleSources, verifyImage } from "./mod.ts";

Deno.test({
  name: "the Sigma corpus loads, every rule of it",
  ignore: !existsSync(SIGMA_CORPUS),
  async fn(): Promise<void> {
    const sources = await readRuleSources(SIGMA_CORPUS);
    const { rules, rejected, image, hash } = compileRules(sources);
    assertEquals(rejected, []);
    assertEquals(rules.length, sources.length);
    assert(rules.length >= 221, `${rules.length} rules`);
    assertEquals(verifyImage(image), hash);
  },
});
