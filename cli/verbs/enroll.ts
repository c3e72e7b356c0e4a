import type { Command } from "commander";
import { installByHand, requestByHand } from "../../agent/enrol/by_hand.ts";
import { enroll, type Enrolled, pinHive } from "../../agent/enrol/enroll.ts";
import { ImmuneError } from "../../common/config/mod.ts";
import { checkPinned, TOKEN_CHARACTERS_MAX } from "../../common/link/mod.ts";
import { hostIdOf } from "../host_id.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { enrollPinned } from "../supervise/enroll.ts";
import { type ActReader, addActJson, printAct } from "../acts.ts";
import { tell } from "../output.ts";

/** `immune enroll` */
export function addEnroll(program: Command, exit: (code: number) => void): void {
  const command = program.command("enroll")
    .description("join a hive with a one-time token, or with a certificate signed by hand")
    .option(
      "--token-file <file>",
      'file with the token, "-" = standard input; never an argument, which others could read',
    )
    .option("--request", "make a key here, and print the request that an operator has signed")
    .option("--issued <file>", 'what "immune ca issue --json" printed for that request')
    .addHelpText(
      "after",
      "\nThe token names the hive and carries its certificate. The first run writes that certificate" +
        "\nand shows its SHA-256; the launcher then starts the verb again, trusting nothing else." +
        "\nWithout a way to the hive: --request, then --issued with --agents HOST:PORT.",
    );
  addSettings(addActJson(command)).action(async (options: EnrollVerbOptions) => {
    const { values } = settingsOf(command);
    const { state: { dir }, output } = values;
    const { tokenFile, request = false, issued } = options;
    if ([tokenFile !== undefined, request, issued !== undefined].filter(Boolean).length !== 1) {
      throw new ImmuneError("USAGE", "Name one: --token-file FILE, --request, or --issued FILE");
    }
    if (request) return await printRequest(dir, output);
    if (issued !== undefined) {
      const text = await Deno.readTextFile(issued).catch(unreadable(issued));
      const { agents } = values.hive;
      return printEnrolled(await installByHand({ state: dir, issued: text, agents }), output);
    }
    const token = await readToken(tokenFile ?? "");
    const hostId = hostIdOf(dir);
    const { fingerprint: pinned } = await pinHive({ token, state: dir });
    const { proxy } = values.agent;
    if (!isPinned()) {
      tell(`The hive's certificate has SHA-256 ${pinned}`);
      const args = [
        ...["--state", dir],
        ...(proxy === "" ? [] : ["--proxy", proxy]),
        ...(output.json ? ["--json"] : []),
      ];
      exit(await enrollPinned({ token, args }));
      return;
    }
    printEnrolled(
      await enroll({
        token,
        state: dir,
        hostId,
        hostName: Deno.hostname(),
        ...(proxy === "" ? {} : { proxy }),
        onPending: (keyHash) =>
          tell(`An operator has to approve this host; its key has SHA-256 ${keyHash}`),
      }),
      output,
    );
  });
}

interface EnrollVerbOptions {
  readonly tokenFile?: string;
  readonly request?: boolean;
  readonly issued?: string;
}

function printEnrolled({ agentId, agents, fingerprint }: Enrolled, reader: ActReader): void {
  const text = `Enrolled as ${agentId} with the hive at ${agents} (SHA-256 ${fingerprint})`;
  printAct({ did: { agentId, agents, fingerprint }, text }, reader);
}

/** The request to standard output, and beside it what the operator types. */
async function printRequest(state: string, reader: ActReader): Promise<void> {
  const hostId = hostIdOf(state);
  const { requestPem, keyHash } = await requestByHand(state);
  tell(`The key has SHA-256 ${keyHash}. On the hive's host:`);
  tell(
    `immune ca issue --request FILE --host-id ${hostId} --host-name ${Deno.hostname()} --json`,
  );
  const hostName = Deno.hostname();
  const text = requestPem.trimEnd();
  printAct({ did: { hostId, hostName, keyHash, request: requestPem }, text }, reader);
}

function isPinned(): boolean {
  try {
    checkPinned();
    return true;
  } catch {
    return false;
  }
}

async function readToken(file: string): Promise<string> {
  try {
    const bytes = file === "-" ? await readInput() : await Deno.readFile(file);
    return new TextDecoder().decode(bytes.subarray(0, TOKEN_CHARACTERS_MAX + 2)).trim();
  } catch (cause) {
    return unreadable(file)(cause);
  }
}

function unreadable(file: string): (cause: unknown) => never {
  return (cause) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("FILE_UNREADABLE", `Cannot read "${file}": ${why}`, { cause });
  };
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
