import type { Command } from "commander";
import { releasePinned } from "../../agent/enforce/enforcer.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { print } from "../output.ts";
import { settingsOf } from "../settings.ts";

/** `immune agent release` */
export function addAgentRelease(agent: Command): void {
  agent.command("release")
    .description("take away what enforcement left pinned when its agent ended")
    .action(() => {
      const { pin_path: pinPath } = settingsOf(agent).values.enforcement;
      const { programs, left } = releasePinned(pinPath);
      if (left > 0) {
        throw new ImmuneError(
          "SENSOR_FAILED",
          `Cannot release "${pinPath}": the kernel still has ${left} of ${programs} programs, an ` +
            "agent that runs holds them; stop it first",
        );
      }
      const isJson = agent.opts()["json"] === true;
      if (isJson) print(JSON.stringify({ pinPath, programs, left }));
      else if (programs === 0) print(`Nothing is pinned in "${pinPath}"`);
      else print(`Released: ${programs} programs are gone from the kernel`);
    });
}
