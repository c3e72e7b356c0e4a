import type { Config } from "../../common/config/mod.ts";
import { settingsEnvironment } from "../settings_environment.ts";
import { partCommand } from "./commands.ts";

/**
 * Who listens on the hive's addresses while the hive itself does not: asked of `immune doctor`,
 * which may look at other processes.
 *
 * @param config The addresses.
 * @returns A line an address that is taken: owner, and the flag that chooses another.
 */
export async function takenPorts({ hive }: Config): Promise<string[]> {
  const lines: string[] = [];
  const { agents, enroll, console } = hive;
  for (const [flag, address] of Object.entries({ agents, enroll, console })) {
    const port = address.slice(address.lastIndexOf(":") + 1);
    const { success, stdout: owner } = await askDoctor("--port", port);
    if (success) lines.push(`${address} is taken by ${owner}; choose another with --${flag}`);
  }
  return lines;
}

/**
 * What the sensor lacks here.
 *
 * @returns A line a finding, as `immune doctor` gives them.
 */
export async function sensorFindings(): Promise<string[]> {
  return (await askDoctor()).stdout.split("\n").filter((line) => line !== "");
}

async function askDoctor(
  ...more: string[]
): Promise<{ readonly success: boolean; readonly stdout: string }> {
  const environment = settingsEnvironment();
  const [command = "", ...args] = partCommand(["doctor", ...more], { environment });
  const { success, stdout } = await new Deno.Command(command, {
    args,
    clearEnv: true,
    env: environment,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).output();
  return { success, stdout: new TextDecoder().decode(stdout).trim() };
}
