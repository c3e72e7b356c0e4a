import { ImmuneError, readIfThere, replaceFile } from "../../common/config/mod.ts";
import { KEY_BYTES, newSeed, type SigningKey, signingKey } from "../../common/keys/ed25519.ts";

/** Name of the file with the directive key's seed in the hive's folder, mode 0600. */
export const DIRECTIVE_KEY_FILE = "directive.key";
/** Of the seed that is to take its place. */
const SUCCESSOR_FILE = `${DIRECTIVE_KEY_FILE}.successor`;

/**
 * The key that signs orders. It is not the key of any certificate, and nobody but the signing
 * Worker reads its file.
 */
export class DirectiveKeyFile {
  readonly #folder: string;
  #key: SigningKey;

  private constructor(folder: string, key: SigningKey) {
    this.#folder = folder;
    this.#key = key;
  }

  /**
   * Reads the key of a hive's folder, or makes one at first start.
   *
   * @param folder The hive's folder; it must be there.
   * @throws {ImmuneError} `STATE_UNUSABLE` when the file cannot be read, written, or holds no seed:
   * a new one would be unknown to every agent, so none is made over an old one.
   */
  static async open(folder: string): Promise<DirectiveKeyFile> {
    const key = await readKey(`${folder}/${DIRECTIVE_KEY_FILE}`) ??
      await makeKey(`${folder}/${DIRECTIVE_KEY_FILE}`);
    return new DirectiveKeyFile(folder, key);
  }

  /** The key in force. */
  get key(): SigningKey {
    return this.#key;
  }

  /**
   * The key that is to follow; made where there is none, so that a rotation that was cut short goes
   * on with the same one.
   */
  async successor(): Promise<SigningKey> {
    const path = `${this.#folder}/${SUCCESSOR_FILE}`;
    return await readKey(path) ?? await makeKey(path);
  }

  /** Puts the successor in force. Agents were told of it by then, in the old one's name. */
  async succeed(): Promise<void> {
    const from = `${this.#folder}/${SUCCESSOR_FILE}`;
    const next = await readKey(from);
    if (next === undefined) throw unusable(from, "there is no successor");
    try {
      Deno.renameSync(from, `${this.#folder}/${DIRECTIVE_KEY_FILE}`);
    } catch (cause) {
      throw unusable(from, cause);
    }
    this.#key = next;
  }
}

async function readKey(path: string): Promise<SigningKey | undefined> {
  let text: string | undefined;
  try {
    text = readIfThere(path)?.trim();
  } catch (cause) {
    throw unusable(path, cause);
  }
  if (text === undefined) return undefined;
  if (!new RegExp(`^[0-9a-f]{${2 * KEY_BYTES}}$`).test(text)) {
    throw unusable(path, "it holds no key; restore it from a backup");
  }
  return await keyOf(Uint8Array.fromHex(text));
}

async function makeKey(path: string): Promise<SigningKey> {
  const seed = newSeed();
  try {
    replaceFile(path, `${seed.toHex()}\n`);
  } catch (cause) {
    throw unusable(path, cause);
  }
  return await keyOf(seed);
}

async function keyOf(seed: Uint8Array): Promise<SigningKey> {
  try {
    return await signingKey(seed);
  } finally {
    seed.fill(0);
  }
}

function unusable(path: string, cause: unknown): ImmuneError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ImmuneError("STATE_UNUSABLE", `Cannot use directive key "${path}": ${why}`);
}
