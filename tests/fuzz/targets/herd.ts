import { ImmuneError } from "../../../common/config/errors.ts";
import { antibodyId, NO_OWN_THINGS } from "../../../common/herd/mod.ts";
import { badRule } from "../../../common/herd/rule_lint.ts";
import { readAntibodySet, writeAntibodySet } from "../../../common/herd/set.ts";
import { herdWordSchema } from "../../../common/herd/word.ts";
import { readGenesis } from "../../../hive/herd/mod.ts";
import { type FuzzTarget, plainSubject } from "../target.ts";

const NOW_MS = Date.UTC(2026, 0, 1);
const RULE = "title: X\nlogsource: { product: linux }\n" +
  "detection:\n  s: { CommandLine|re: 'xmrig (a|b)+ --donate' }\n  condition: s\n";
const ENTRIES = [
  { type: "path", value: "/var/tmp/x" },
  { type: "address", value: "203.0.113.7" },
  { type: "rule", value: RULE },
] as const;
const SET = writeAntibodySet({
  number: 1,
  antibodies: ENTRIES.map((entry) => ({
    ...entry,
    id: antibodyId(entry),
    action: "watch",
    reason: "",
    evidence: ["0f".repeat(16)],
    madeMs: NOW_MS,
    expiresMs: NOW_MS + 1000,
  })),
});
const WORD = JSON.stringify({
  call: "propose",
  entry: ENTRIES[0],
  action: "block",
  reason: "",
  evidence: ["0f".repeat(16)],
  lifetimeMs: 1000,
});
const GENESIS = JSON.stringify({
  content: "{}",
  publicKey: "A".repeat(43),
  signature: "A".repeat(86),
});

/** What comes from agents and operators for the herd: sets, words, genesis sets. */
export const target: FuzzTarget = {
  open: () =>
    plainSubject(
      [SET, ...[WORD, GENESIS].map((text) => new TextEncoder().encode(text))],
      (input) => {
        const text = new TextDecoder().decode(input);
        const options = { nowMs: NOW_MS, own: NO_OWN_THINGS, rule: badRule };
        return problemOf(() => readAntibodySet(input, options)) ??
          problemOf(() => readGenesis(text)) ??
          problemOf(() => herdWordSchema.safeParse(jsonOf(text)));
      },
    ),
};

function problemOf(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (!(error instanceof ImmuneError)) return `it threw ${String(error)}`;
    return error.code === "INPUT_MALFORMED" ? undefined : `code ${error.code}`;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
