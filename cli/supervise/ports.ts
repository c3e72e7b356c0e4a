import { fileURLToPath } from "node:url";
import type { Config } from "../../common/config/mod.ts";
import { settingsEnvironment } from "../settings.ts";
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
  for (const [flag, address] of Object.entries(hive)) {
    const port = address.slice(address.lastIndexOf(":") + 1);
    const owner = await askDoctor(port);
    if (owner !== "") lines.push(`${address} is taken by ${owner}; choose another with --${flag}`);
  }
  return lines;
}

async function askDoctor(port: string): Promise<string> {
  const environment = settingsEnvironment();
  const [command = "", ...args] = partCommand(["doctor", "--port", port], {
    program: fileURLToPath(Deno.mainModule),
    environment,
  });
  const { success, stdout } = await new Deno.Command(command, {
    args,
    clearEnv: true,
    env: environment,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).output();
  return success ? new TextDecoder().decode(stdout).trim() : "";
}
