import { assert, assertEquals, assertThrows } from "@std/assert";
import { ImmuneError } from "../config/errors.ts";
import { parseTechniques, tacticOf, techniqueOf } from "./techniques.ts";

const TEXT = await Deno.readTextFile(new URL("../../rules/techniques.json", import.meta.url));
const TABLE = parseTechniques(TEXT);

Deno.test("techniqueOf() reads tags of both frameworks, in any case", () => {
  assertEquals(techniqueOf("attack.t1059.004", TABLE), {
    framework: "attack",
    id: "T1059.004",
    name: "Command and Scripting Interpreter: Unix Shell",
  });
  assertEquals(techniqueOf("ATLAS.AML.T0055", TABLE)?.name, "Unsecured Credentials");
  assertEquals(techniqueOf("attack.t9999", TABLE)?.name, "");
  for (const tag of ["attack.execution", "attack.t12", "cve.2021.44228", "attack.g0007", ""]) {
    assertEquals(techniqueOf(tag, TABLE), undefined, tag);
  }
});

Deno.test("techniqueOf() gives the present id of a renumbered technique", () => {
  for (
    const [older, now] of [
      ["t1562.001", "T1685"],
      ["t1562.004", "T1686"],
      ["t1562.003", "T1690"],
      ["t1070.002", "T1685.006"],
      ["t1685.006", "T1685.006"],
    ]
  ) assertEquals(techniqueOf(`attack.${older}`, TABLE)?.id, now);
});

Deno.test("tacticOf() knows tactics, their older names and both ways to write them", () => {
  assertEquals(tacticOf("attack.stealth", TABLE), { framework: "attack", tactic: "stealth" });
  assertEquals(tacticOf("attack.defense-evasion", TABLE)?.tactic, "stealth");
  assertEquals(tacticOf("attack.command_and_control", TABLE)?.tactic, "command-and-control");
  assertEquals(tacticOf("attack.reconnaissance", TABLE)?.tactic, "reconnaissance");
  assertEquals(tacticOf("attack.nonsense", TABLE), undefined);
  assertEquals(tacticOf("car.execution", TABLE), undefined);
});

Deno.test("the table leads no alias to another alias, and to no id of another form", () => {
  for (const { aliases, techniques } of Object.values(TABLE)) {
    for (const [older, now] of Object.entries(aliases)) {
      assert(!Object.hasOwn(aliases, now), `${older} -> ${now}`);
      assert(!Object.hasOwn(techniques, older), `${older} is older and named`);
    }
  }
});

Deno.test("parseTechniques() names what is wrong", () => {
  const broken = TEXT.replace('"version": "19"', '"version": 19');
  const error = assertThrows(() => parseTechniques(broken), ImmuneError);
  assert(error.message.includes("attack.version"), error.message);
  assertEquals(assertThrows(() => parseTechniques("{"), ImmuneError).code, "INPUT_MALFORMED");
});
