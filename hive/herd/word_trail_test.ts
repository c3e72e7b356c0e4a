import { assertEquals } from "@std/assert";
import type { AuditFact } from "../../common/audit/mod.ts";
import { FakeClock } from "../../common/config/mod.ts";
import { REFUSALS_RECORDED_MAX } from "../operators/recorded.ts";
import { WordTrail } from "./word_trail.ts";

const SAID = { by: "an-agent", call: "vouch", about: "another", refused: null } as const;

/** A trail with what it recorded; `full` makes the log refuse. */
function scene(): {
  readonly trail: WordTrail;
  readonly facts: AuditFact[];
  readonly lines: string[];
  full: boolean;
} {
  const facts: AuditFact[] = [];
  const lines: string[] = [];
  const made = {
    facts,
    lines,
    full: false,
    trail: new WordTrail({
      audit: {
        append: (fact): Promise<never> => {
          if (!made.full) facts.push(fact);
          return made.full ? Promise.reject(new Error("no room")) : Promise.resolve({} as never);
        },
      } as ConstructorParameters<typeof WordTrail>[0]["audit"],
      clock: new FakeClock(),
      log: (line) => lines.push(line),
    }),
  };
  return made;
}

Deno.test("WordTrail records who said what, and why it was refused", async () => {
  const { trail, facts } = scene();
  await trail.record(SAID);
  await trail.record({ ...SAID, call: "report", refused: "Cannot report: it is a newcomer" });
  const actor = { kind: "agent", id: "an-agent" } as const;
  const detail = { why: "Cannot report: it is a newcomer" };
  assertEquals(facts, [
    { actor, action: "herd.vouch", object: "another", decision: "done" },
    { actor, action: "herd.report", object: "another", detail, decision: "refused" },
  ]);
});

Deno.test("WordTrail lets no agent push the log out with what it is refused", async () => {
  const { trail, facts } = scene();
  for (let i = 0; i < 1000; i++) await trail.record({ ...SAID, refused: "no" });
  assertEquals(facts.length, REFUSALS_RECORDED_MAX);
});

Deno.test("WordTrail says what could not be recorded", async () => {
  const made = scene();
  made.full = true;
  await made.trail.record(SAID);
  assertEquals(made.lines, [
    'Agent "an-agent" said "vouch" to the herd, and it is not recorded: no room',
  ]);
});
