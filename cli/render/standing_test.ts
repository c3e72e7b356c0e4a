import { assertEquals } from "@std/assert";
import type { Standing } from "../../agent/guards/standing.ts";
import { standingLines } from "./standing.ts";

const FRESH: Standing = { stopped: false, canary: "fresh", canaryHours: 1 };

function lines(standing: Partial<Standing>, onLoss: "keep" | "observe"): readonly string[] {
  return standingLines({ ...FRESH, ...standing }, {
    refuse: [],
    on_canary_loss: onLoss,
    canary_check_hours: 6,
    canary_loss_hours: 48,
    proxy: "",
  });
}

Deno.test("standingLines() says what a missing canary does, and will do", () => {
  const warned = { canary: "warned", canaryHours: 37 } as const;
  const lost = { canary: "lost", canaryHours: 50 } as const;
  assertEquals(lines({}, "observe"), []);
  assertEquals(lines(warned, "observe"), [
    'This host has had no canary for 37 h: after 48 h it refuses nothing (on_canary_loss = "observe")',
  ]);
  assertEquals(lines(warned, "keep"), [
    'This host has had no canary for 37 h: it goes on as it is (on_canary_loss = "keep")',
  ]);
  assertEquals(lines(lost, "observe"), [
    'This host has had no canary for 50 h: it refuses nothing until the next one (on_canary_loss = "observe")',
  ]);
  assertEquals(lines(lost, "keep"), [
    'This host has had no canary for 50 h: it goes on as it is (on_canary_loss = "keep")',
  ]);
});

Deno.test("standingLines() says that the kill switch holds", () => {
  assertEquals(lines({ stopped: true }, "keep"), ["The kill switch keeps this host's sensor off"]);
});
