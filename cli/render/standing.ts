import type { Standing } from "../../agent/guards/standing.ts";
import type { Config } from "../../common/config/mod.ts";

/**
 * What people have to know of how a host stands to its orders.
 *
 * @param standing As its agent kept it.
 * @param agent Its settings.
 * @returns Lines; none while all is as it should be.
 */
export function standingLines(
  { stopped, canary, canaryHours = 0 }: Standing,
  { on_canary_loss: onLoss, canary_loss_hours: lossHours }: Config["agent"],
): readonly string[] {
  const off = stopped ? ["The kill switch keeps this host's sensor off"] : [];
  if (canary === "fresh") return off;
  const since = `This host has had no canary for ${canaryHours} h`;
  const lost = onLoss === "observe"
    ? `it refuses nothing until the next one (on_canary_loss = "observe")`
    : `it goes on as it is (on_canary_loss = "keep")`;
  const what = canary === "lost" || onLoss === "keep"
    ? lost
    : `after ${lossHours} h it refuses nothing (on_canary_loss = "observe")`;
  return [...off, `${since}: ${what}`];
}
