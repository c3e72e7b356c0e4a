import type { Command } from "commander";
import { enroll, pinHive } from "../../agent/enrol/enroll.ts";
import { ImmuneError, State } from "../../common/config/mod.ts";
import { checkPinned, TOKEN_CHARACTERS_MAX } from "../../common/link/mod.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { enrollPinned } from "../supervise/enroll.ts";
import { print, tell } from "../output.ts";

/** `immune enroll` */
export function addEnroll(program: Command, exit: (code: number) => void): void {
  const command = program.command("enroll")
    .description("join a hive with a one-time token")
    .requiredOption(
      "--token-file <file>",
      'file with the token, "-" = standard input; never an argument, which others could read',
    )
    .addHelpText(
      "after",
      "\nThe token names the hive and carries its certificate. The first run writes that certificate" +
        "\nand shows its SHA-256; the launcher then starts the verb again, trusting nothing else.",
    );
  addSettings(command).action(async (options: { readonly tokenFile: string }) => {
    const { dir } = settingsOf(command).values.state;
    const token = await readToken(options.tokenFile);
    const hostId = identify(dir);
    const { fingerprint: pinned } = await pinHive({ token, state: dir });
    if (!isPinned()) {
      tell(`The hive's certificate has SHA-256 ${pinned}`);
      exit(await enrollPinned({ token, args: ["--state", dir] }));
      return;
    }
    const { agentId, agents, fingerprint } = await enroll({
      token,
      state: dir,
      hostId,
      hostName: Deno.hostname(),
      onPending: (keyHash) =>
        tell(`An operator has to approve this host; its key has SHA-256 ${keyHash}`),
    });
    print(`Enrolled as ${agentId} with the hive at ${agents} (SHA-256 ${fingerprint})`);
  });
}

function isPinned(): boolean {
  try {
    checkPinned();
    return true;
  } catch {
    return false;
  }
}

/** The host's id; the state folder is made for it, and let go again. */
function identify(folder: string): string {
  using state = State.open(folder);
  return state.hostId();
}

async function readToken(file: string): Promise<string> {
  try {
    const bytes = file === "-" ? await readInput() : await Deno.readFile(file);
    return new TextDecoder().decode(bytes.subarray(0, TOKEN_CHARACTERS_MAX + 2)).trim();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("FILE_UNREADABLE", `Cannot read token file "${file}": ${why}`, { cause });
  }
}

/** Standard input, as far as a token can be long. */
async function readInput(): Promise<Uint8Array> {
  const bytes = new Uint8Array(TOKEN_CHARACTERS_MAX + 2);
  let length = 0;
  for await (const chunk of Deno.stdin.readable) {
    bytes.set(chunk.subarray(0, bytes.length - length), length);
    length = Math.min(length + chunk.length, bytes.length);
    if (length === bytes.length) break;
  }
  return bytes.subarray(0, length);
}
