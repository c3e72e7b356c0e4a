import { ERROR_CODES, type ErrorCode, ImmuneError } from "../config/errors.ts";
import type { HerdWord } from "../herd/word.ts";
import { hiveUrl } from "./address.ts";
import { ANSWER_BYTES_MAX, printable } from "./answer.ts";
import { checkPinned } from "./pin.ts";
import { boundedText } from "./bounded_text.ts";
import { errorSchema, ROUTES } from "./protocol.ts";
import { ANSWER_TIMEOUT_MS, failure, hiveClient, type TransportOptions } from "./transport.ts";

/**
 * Says a word to the herd over mutual TLS, as the agent whose certificate is shown.
 *
 * @param identity Where, as whom, and whom to trust.
 * @param word What is said.
 * @returns What the hive answers: a standing, or an antibody with what was said of it.
 * @throws {ImmuneError} `HERD_REFUSED` with why, `RATE_LIMITED`, another code that the hive answers
 * with, or `HIVE_UNREACHABLE`.
 */
export async function sayToHerd(identity: TransportOptions, word: HerdWord): Promise<unknown> {
  checkPinned();
  using client = hiveClient(identity);
  const answer = await ask(identity, { word, client });
  const text = await boundedText(answer, ANSWER_BYTES_MAX);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw unreachable(identity, { why: `HTTP status ${answer.status}`, cause });
  }
  if (answer.ok) return body;
  const { code = "", message = "" } = errorSchema.safeParse(body).data?.error ?? {};
  if (!(code in ERROR_CODES)) throw unreachable(identity, { why: `HTTP status ${answer.status}` });
  throw new ImmuneError(code as ErrorCode, printable(message));
}

async function ask(
  identity: TransportOptions,
  { word, client }: { readonly word: HerdWord; readonly client: Deno.HttpClient },
): Promise<Response> {
  try {
    return await fetch(hiveUrl(identity.agents, ROUTES.herd), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(word),
      redirect: "manual",
      client,
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
  } catch (cause) {
    throw unreachable(identity, { why: failure(cause), cause });
  }
}

function unreachable(
  { agents }: TransportOptions,
  { why, cause }: { readonly why: string; readonly cause?: unknown },
): ImmuneError {
  const message = `Cannot speak to the herd at ${agents}: ${why}`;
  return new ImmuneError("HIVE_UNREACHABLE", message, { cause });
}
