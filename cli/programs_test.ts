import { assertEquals } from "@std/assert";
import { PROGRAM_ROOT } from "../common/config/program.ts";
import { programOf, VERBS_PROGRAMS, WHOLE_PROGRAM } from "./programs.ts";
import { VERBS } from "./verbs/mod.ts";

Deno.test("programOf() is the verb's own program, else the one with all verbs", () => {
  assertEquals(programOf(["status", "--json"]).name, "immune-operator");
  assertEquals(programOf(["threats"]).name, "immune-operator");
  assertEquals(programOf(["--json", "agent"]).name, "immune-agent");
  for (const args of [[], ["--help"], ["-h", "status"], ["rules", "check"], ["stauts"]]) {
    assertEquals(programOf(args), WHOLE_PROGRAM);
  }
});

Deno.test("each program knows the verbs that it is started for, and no others", async () => {
  for (const { source, verbs } of VERBS_PROGRAMS) {
    const text = await Deno.readTextFile(new URL(source, PROGRAM_ROOT));
    const known = [...text.matchAll(/(?:^|\{) +"?([a-z-]+)"?: (?:async )?\(/gm)];
    assertEquals(known.map(([, verb]) => verb), [...verbs], source);
    assertEquals(verbs.filter((verb) => !Object.hasOwn(VERBS, verb)), []);
  }
});
