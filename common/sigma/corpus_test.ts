import { assert, assertEquals } from "@std/assert";
import { existsSync } from "node:fs";
import { compileRules, readRuleSources, verifyImage } from "./mod.ts";

const CORPUS = new URL("../../../shared/corpora/sigma", import.meta.url).pathname;

Deno.test({
  name: "the Sigma corpus loads, every rule of it",
  ignore: !existsSync(CORPUS),
  async fn(): Promise<void> {
    const sources = await readRuleSources(CORPUS);
    const { rules, rejected, image, hash } = compileRules(sources);
    assertEquals(rejected, []);
    assertEquals(rules.length, sources.length);
    assert(rules.length >= 221, `${rules.length} rules`);
    assertEquals(verifyImage(image), hash);
  },
});
