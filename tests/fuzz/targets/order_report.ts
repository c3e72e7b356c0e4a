import { reportSchema } from "../../../hive/command/schemas.ts";
import { REFUSAL_CAUSES } from "../../../common/wire/mod.ts";
import { type FuzzTarget, plainSubject } from "../target.ts";

const REPORT = {
  results: [{
    sequence: 1,
    stream: "directive",
    number: 2,
    kind: "rules",
    outcome: "done",
    cause: null,
    text: "rule set active",
    timeMs: 3,
  }],
  refused: Object.fromEntries(REFUSAL_CAUSES.map((cause) => [cause, 0])),
  stopped: false,
  canary: "fresh",
};

/** `reportSchema`: what agents post about orders. */
export const target: FuzzTarget = {
  open: () =>
    plainSubject([new TextEncoder().encode(JSON.stringify(REPORT))], (input) => {
      let value: unknown;
      try {
        value = JSON.parse(new TextDecoder().decode(input));
      } catch {
        return undefined;
      }
      try {
        reportSchema.safeParse(value);
        return undefined;
      } catch (error) {
        return `it threw ${String(error)}`;
      }
    }),
};
