import { type Command, InvalidArgumentError } from "commander";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { ImmuneError } from "../../common/config/mod.ts";
import { addActJson, printAct } from "../acts.ts";
import { ApiClient } from "../api.ts";
import { addSettings, settingsOf } from "../settings.ts";

interface GenesisOptions {
  readonly key: string;
  readonly number: number;
  readonly newKey?: boolean;
}

/**
 * Adds `immune herd genesis`: the key stays in this process and its file.
 *
 * @param herd The verb.
 */
export function addGenesis(herd: Command): void {
  const command = herd.command("genesis")
    .description("sign the set of agents that count from the start")
    .argument("<agents...>", "ids of the whole set, as agents shows them")
    .requiredOption("--key <file>", "your Ed25519 key (PEM, 0600); it never goes to the hive")
    .requiredOption("--number <count>", "counts up with each set", parseNumber)
    .option("--new-key", "make the key first; the first that signs is the one that counts");
  addSettings(addActJson(command)).action(
    async (agents: readonly string[], options: GenesisOptions) => {
      const { key: path, number, newKey } = options;
      const key = newKey ? makeKey(path) : readKey(path);
      const { signGenesis } = await import("../../hive/herd/genesis.ts");
      const signed = signGenesis({ number, agents }, key);
      const { values } = settingsOf(command);
      await new ApiClient(values).send("post", "/api/v1/herd/genesis", { body: { signed } });
      const text = `${agents.length} agents are genesis set ${number}`;
      printAct({ did: { number, agents }, text }, values.output);
    },
  );
}

function makeKey(path: string): KeyObject {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  try {
    Deno.writeTextFileSync(path, pem.toString(), { createNew: true, mode: 0o600 });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("OUTPUT_UNWRITABLE", `Cannot make key "${path}": ${why}`, { cause });
  }
  return privateKey;
}

function readKey(path: string): KeyObject {
  try {
    const key = createPrivateKey(Deno.readTextFileSync(path));
    if (key.asymmetricKeyType !== "ed25519") throw new TypeError("it is no Ed25519 key");
    return key;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("FILE_UNREADABLE", `Cannot use key "${path}": ${why}`, { cause });
  }
}

function parseNumber(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Use a number from 1.");
}
