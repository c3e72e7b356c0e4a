import { readIfThere, replaceFile } from "../config/durable_file.ts";
import { type AuditHead, NO_HASH } from "./entry.ts";

/** Where an empty chain stands. */
export const EMPTY_HEAD: AuditHead = { sequence: 0, hash: NO_HASH };

/** Form of a head as text. */
const FORM = /^(\d{1,16}):([0-9a-f]{64})$/;

/**
 * A head as text, to be noted elsewhere.
 *
 * @param head The head.
 * @returns Such as `12:9f86…`.
 */
export function headText({ sequence, hash }: AuditHead): string {
  return `${sequence}:${hash}`;
}

/**
 * Reads a head.
 *
 * @param text As {@linkcode headText} gives it.
 * @returns The head, or `undefined` when it is none.
 */
export function parseHead(text: string): AuditHead | undefined {
  const [, sequence, hash] = FORM.exec(text.trim()) ?? [];
  return hash === undefined ? undefined : { sequence: Number(sequence), hash };
}

/** The file beside a log that says where its chain stood after the last append. */
export class HeadFile {
  readonly #path: string;

  /** @param folder The log's folder. */
  constructor(folder: string) {
    this.#path = `${folder}/head`;
  }

  /**
   * What it says.
   *
   * @returns The head; `undefined` when there is no file or it is damaged.
   */
  read(): AuditHead | undefined {
    return parseHead(readIfThere(this.#path) ?? "");
  }

  /**
   * Replaces it; it is on the disk afterwards.
   *
   * @param head Where the chain stands.
   */
  write(head: AuditHead): void {
    replaceFile(this.#path, `${headText(head)}\n`);
  }
}
