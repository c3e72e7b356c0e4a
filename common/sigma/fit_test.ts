import { assert, assertEquals } from "@std/assert";
import { fitImage } from "./fit.ts";
import { verifyImage } from "./image.ts";
import { parseRules } from "./parse_rules.ts";

const BYTES_MAX = 64 * 1024;

function rule(i: number): string {
  const texts = Array.from({ length: 20 }, (_, k) => `"${`rule ${i} text ${k} `.repeat(9)}"`);
  return `title: T\nid: r${i}\nlogsource: { category: process_creation }\n` +
    `detection: { s: { A|contains: [${texts.join()}] }, condition: s }\n`;
}

Deno.test("fitImage() keeps the first rules that fit, as many as can be", () => {
  const { rules } = parseRules(
    Array.from({ length: 60 }, (_, i) => ({ path: `${i}.yml`, text: rule(i) })),
  );
  const logic = rules.map((parsed) => parsed.rule);
  const whole = fitImage(logic);
  assertEquals(whole.plan.rules.length, 60);
  assert(whole.bytes.length > BYTES_MAX);
  const { plan, bytes, hash } = fitImage(logic, { bytesMax: BYTES_MAX });
  const kept = plan.rules.length;
  assert(kept > 0 && kept < 60, `${kept} kept`);
  assertEquals(plan.rules.map(({ id }) => id), logic.slice(0, kept).map(({ id }) => id));
  assert(bytes.length <= BYTES_MAX);
  assert(fitImage(logic.slice(0, kept + 1)).bytes.length > BYTES_MAX);
  assertEquals(verifyImage(bytes), hash);
});
