import * as z from "zod";
import { readIfThere, replaceFile, syncFolder } from "../../common/config/durable_file.ts";
import { jsonOf } from "../../common/text/json.ts";
import { identityPaths } from "./identity_paths.ts";

/** An enrolment that waits for an operator, as its host keeps it. */
export interface Waiting {
  /** Proves to the hive that it is this enrolment's host that asks. */
  readonly ticket: string;
  /** SHA-256 of the public key, as people compare it. */
  readonly keyHash: string;
  /** Its key (PKCS #8, PEM). */
  readonly keyPem: string;
}

const waitingSchema = z.object({
  /** SHA-256 of the token's secret: with another token it is another enrolment. */
  tokenHash: z.string(),
  ticket: z.string().max(256),
  keyHash: z.string(),
});

/**
 * Keeps an enrolment that waits: the key in its own file, the ticket beside it. A host that is
 * stopped meanwhile goes on with it, for its token is used up.
 *
 * @param folder The agent's folder.
 * @param waiting The enrolment, and the hash of its token's secret.
 */
export function keepWaiting(
  folder: string,
  { keyPem, ...waiting }: Waiting & { readonly tokenHash: string },
): void {
  replaceFile(identityPaths(folder).agentKey, keyPem);
  replaceFile(pathIn(folder), `${JSON.stringify(waiting)}\n`);
}

/**
 * The enrolment that a token began.
 *
 * @param folder The agent's folder.
 * @param tokenHash SHA-256 of the token's secret.
 * @returns The enrolment, `undefined` when none of this token waits.
 */
export function findWaiting(folder: string, tokenHash: string): Waiting | undefined {
  const found = waitingSchema.safeParse(jsonOf(readIfThere(pathIn(folder))));
  const keyPem = readIfThere(identityPaths(folder).agentKey);
  if (!found.success || found.data.tokenHash !== tokenHash || keyPem === undefined) {
    return undefined;
  }
  const { ticket, keyHash } = found.data;
  return { ticket, keyHash, keyPem };
}

/**
 * Forgets the ticket of what was decided.
 *
 * @param folder The agent's folder.
 */
export function forgetWaiting(folder: string): void {
  try {
    Deno.removeSync(pathIn(folder));
    syncFolder(folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function pathIn(folder: string): string {
  return `${folder}/enrolment.json`;
}
