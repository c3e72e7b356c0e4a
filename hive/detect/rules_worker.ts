import { ImmuneError } from "../../common/config/errors.ts";
import type { RulesPlace, RulesReport } from "./messages.ts";
import { loadFleetRules } from "./rules.ts";

/** The Worker that compiles: takes one message, where the rules are, and answers once. */
export function serveFleetRules(): void {
  self.onmessage = async ({ data }: MessageEvent<RulesPlace>) => report(await compiled(data));
  // What is sent before this Worker listens is lost: its owner waits for this.
  report({ type: "listening" });
}

async function compiled(place: RulesPlace): Promise<RulesReport> {
  try {
    return { type: "compiled", rules: await loadFleetRules(place) };
  } catch (error) {
    const code = error instanceof ImmuneError ? error.code : "INTERNAL";
    return {
      type: "failed",
      code,
      message: error instanceof Error ? error.message : String(error),
    };
  }
}

function report(message: RulesReport): void {
  (self as unknown as { postMessage(message: RulesReport): void }).postMessage(message);
}
