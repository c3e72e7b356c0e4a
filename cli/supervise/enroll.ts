import { pinnedEnvironment } from "../../common/link/mod.ts";
import { settingsEnvironment } from "../settings_environment.ts";
import { partCommand } from "./commands.ts";

/** What a pinned enrolment needs. */
export interface PinnedEnrolment {
  /** The token's text; it goes through standard input, where nobody else reads it. */
  readonly token: string;
  /** Settings as they were typed. */
  readonly args: readonly string[];
}

/**
 * Enrols this host in a process that trusts the token's hive and nothing else.
 *
 * @param enrolment Token, certificate and settings.
 * @returns Its exit code; its own lines went to this terminal.
 */
export async function enrollPinned({ token, args }: PinnedEnrolment): Promise<number> {
  const environment = pinnedEnvironment(settingsEnvironment());
  const [command = "", ...rest] = partCommand(["enroll", "--token-file", "-", ...args], {
    environment,
  });
  const child = new Deno.Command(command, {
    args: rest,
    clearEnv: true,
    env: environment,
    stdin: "piped",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(token));
  await input.close();
  return (await child.status).code;
}
