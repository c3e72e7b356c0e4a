import { createHash } from "node:crypto";
import { readIfThere, removeIfThere, replaceFile } from "../../common/config/durable_file.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import type { RuleSource } from "../../common/sigma/parse_rules.ts";

/** Name of the folder in the agent's folder. */
export const HERD_FOLDER = "herd";

/** Where sets of antibodies lie as they came, a file each, and the rules that were made of them. */
export class SetFolder {
  readonly #folder: string;

  /** @param agent The agent's folder. */
  constructor(agent: string) {
    this.#folder = `${agent}/${HERD_FOLDER}`;
  }

  /** Folder of rules; it is not there before the first antibody that is one. */
  get rules(): string {
    return `${this.#folder}/rules`;
  }

  /** Whether there are rules. */
  get hasRules(): boolean {
    try {
      return Deno.statSync(this.rules).isDirectory;
    } catch {
      return false;
    }
  }

  /** Whether antibodies were ever taken here. */
  get isUsed(): boolean {
    try {
      return Deno.statSync(this.#folder).isDirectory;
    } catch {
      return false;
    }
  }

  /**
   * A set as it came; `undefined` = it is not here: one that was damaged is none.
   *
   * @param hash Its SHA-256.
   */
  read(hash: string): Uint8Array<ArrayBuffer> | undefined {
    try {
      const bytes = Deno.readFileSync(`${this.#folder}/${hash}`);
      return createHash("sha256").update(bytes).digest("hex") === hash ? bytes : undefined;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw unusable(this.#folder, error);
    }
  }

  /**
   * Keeps a set.
   *
   * @param hash Its SHA-256, which the caller has checked.
   * @param bytes The set.
   * @throws {ImmuneError} `STATE_UNUSABLE` when it cannot be written.
   */
  add(hash: string, bytes: Uint8Array): void {
    try {
      Deno.mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      replaceFile(`${this.#folder}/${hash}`, bytes);
    } catch (cause) {
      throw unusable(this.#folder, cause);
    }
  }

  /**
   * Puts rules in the place of those that are there, a file at a time: a rule that was there and
   * stays is there throughout, and one that goes does so when the others have come.
   *
   * @param rules A file each.
   * @throws {ImmuneError} `STATE_UNUSABLE` when they cannot be written.
   */
  putRules(rules: readonly RuleSource[]): void {
    try {
      if (rules.length === 0) return removeIfThere(this.rules);
      Deno.mkdirSync(this.rules, { recursive: true, mode: 0o700 });
      for (const { path, text } of rules) {
        const file = `${this.rules}/${path}`;
        if (readIfThere(file) !== text) replaceFile(file, text);
      }
      const kept = new Set(rules.map(({ path }) => path));
      for (const { name } of Deno.readDirSync(this.rules)) {
        if (!kept.has(name)) removeIfThere(`${this.rules}/${name}`);
      }
    } catch (cause) {
      throw unusable(this.#folder, cause);
    }
  }

  /**
   * Removes all sets but some.
   *
   * @param hashes Those that stay.
   */
  keepOnly(hashes: ReadonlySet<string>): void {
    try {
      for (const { name, isFile } of Deno.readDirSync(this.#folder)) {
        if (isFile && !hashes.has(name)) removeIfThere(`${this.#folder}/${name}`);
      }
    } catch {
      // There is no such folder yet.
    }
  }
}

function unusable(folder: string, cause: unknown): ImmuneError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ImmuneError("STATE_UNUSABLE", `Cannot keep antibodies in "${folder}": ${why}`, {
    cause,
  });
}
