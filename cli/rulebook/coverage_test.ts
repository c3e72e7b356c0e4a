import { assertEquals } from "@std/assert";
import { parseTechniques } from "../../common/techniques/mod.ts";
import { SHIPPED_TECHNIQUES } from "../rules.ts";
import { coverageOf, type TaggedRule } from "./coverage.ts";
import { navigatorLayer } from "./navigator.ts";
import { hasTag } from "./tag_filter.ts";

const TABLE = parseTechniques(await Deno.readTextFile(SHIPPED_TECHNIQUES));
const RULES: readonly TaggedRule[] = [
  { id: "a", title: "A", tags: ["attack.defense-evasion", "attack.t1562.001", "attack.t1685"] },
  { id: "b", title: "B", tags: ["attack.t1685", "attack.execution", "atlas.aml.t0055"] },
  { id: "c", title: "C", tags: ["cve.2024.1", "attack.t1059.004", "attack.execution"] },
];

Deno.test("coverageOf() counts a rule once a technique, older ids under the present ones", () => {
  const covered = coverageOf(RULES, TABLE).map(({ id, rules }) => [id, rules.map((r) => r.id)]);
  assertEquals(covered, [
    ["T1059.004", ["c"]],
    ["T1685", ["a", "b"]],
    ["AML.T0055", ["b"]],
  ]);
});

Deno.test("coverageOf() names the tactics of a technique's rules in the order of an attack", () => {
  const [, disabled, credentials] = coverageOf(RULES, TABLE);
  assertEquals(disabled?.tactics, ["execution", "stealth"]);
  assertEquals(credentials?.tactics, []);
});

Deno.test("navigatorLayer() scores techniques of ATT&CK by their rules, without ATLAS", () => {
  const layer = navigatorLayer(coverageOf(RULES, TABLE), TABLE);
  const techniques = layer["techniques"] as { techniqueID: string; score: number }[];
  assertEquals(techniques.map(({ techniqueID, score }) => [techniqueID, score]), [
    ["T1059.004", 1],
    ["T1685", 2],
  ]);
  assertEquals(layer["domain"], "enterprise-attack");
  assertEquals((layer["gradient"] as { maxValue: number }).maxValue, 2);
});

Deno.test("hasTag() takes tags, techniques with or without sub-technique, tactics, older ids", () => {
  const found = (tag: string): string =>
    RULES.filter(({ tags }) => hasTag(tags, { tag, table: TABLE })).map(({ id }) => id).join("");
  const cases = {
    "attack.t1685": "ab",
    T1685: "ab",
    "t1562.001": "ab",
    t1059: "c",
    "T1059.006": "",
    execution: "bc",
    "attack.stealth": "a",
    "aml.t0055": "b",
    "CVE.2024.1": "c",
    nonsense: "",
  };
  for (const [tag, wanted] of Object.entries(cases)) assertEquals(found(tag), wanted, tag);
});
