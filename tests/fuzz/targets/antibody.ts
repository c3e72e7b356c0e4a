import { antibodyId, antibodyRuleId } from "../../../common/herd/antibody.ts";
import { indicatorsOf, rulesOf } from "../../../common/herd/detect.ts";
import { type Antibody, lintAntibody, NO_OWN_THINGS } from "../../../common/herd/mod.ts";
import { badRule } from "../../../common/herd/rule_lint.ts";
import { parseRules } from "../../../common/sigma/parse_rules.ts";
import { type FuzzTarget, plainSubject } from "../target.ts";

const NOW_MS = Date.UTC(2026, 0, 1);
const RULE = "title: X\nid: a\nlogsource: { product: linux, category: process_creation }\n" +
  "detection:\n  s: { CommandLine|re: 'xmrig (a|b)+ --donate' }\n  condition: s\n";
/** A value of each type; the byte before it says which. */
const SEEDS = [
  ["hash", "12".repeat(32)],
  ["path", "/var/tmp/x"],
  ["domain", "pool.example.net"],
  ["address", "2001:db8::7"],
  ["port", "4444"],
  ["rule", RULE],
] as const;
const OPTIONS = { nowMs: NOW_MS, own: NO_OWN_THINGS, rule: badRule };

/** What a host makes of an antibody: one that its lint takes is found by one thing, whatever it is. */
export const target: FuzzTarget = {
  open: () =>
    plainSubject(
      SEEDS.map(([, value], type) => Uint8Array.of(type, ...new TextEncoder().encode(value))),
      (input) => {
        const [type] = SEEDS[(input[0] ?? 0) % SEEDS.length] ?? SEEDS[0];
        const value = new TextDecoder().decode(input.subarray(1));
        const antibody: Antibody = {
          id: antibodyId({ type, value }),
          type,
          value,
          action: "block",
          reason: "",
          evidence: ["0f".repeat(16)],
          madeMs: NOW_MS,
          expiresMs: NOW_MS + 60_000,
        };
        if (lintAntibody(antibody, OPTIONS) !== undefined) return undefined;
        const indicators = indicatorsOf([antibody], NOW_MS);
        const rules = rulesOf([antibody]);
        if (indicators.length + rules.length !== 1) return "it is not found by one thing";
        const { rules: [rule, more], rejected } = parseRules(rules);
        if (rules.length === 0) return undefined;
        const isOne = rejected.length === 0 && more === undefined &&
          rule?.rule.id === antibodyRuleId(antibody.id);
        return isOne ? undefined : "its rule does not load under its id";
      },
    ),
};
