import { solveChallenge } from "../../common/keys/proof_of_work.ts";
import { challengeSchema, ROUTES } from "../../common/link/protocol.ts";
import { hashSecret } from "../operators/secret.ts";
import { requestedKeyHash } from "../trust/requested_key.ts";

/** Work that a test waits for, in bits. */
export const EASY_BITS = 4;

/** What an agent that enrols has. */
export interface Enrolling {
  readonly secret: string;
  readonly request: string;
  readonly hostId: string;
  readonly hostName: string;
}

/** A whole enrolment request: its challenge was asked for and solved. */
export async function solvedRequest(
  app: { request(path: string, init: RequestInit): Response | Promise<Response> },
  enrolling: Enrolling,
): Promise<Enrolling & { readonly challenge: string; readonly solution: string }> {
  const { secret, request } = enrolling;
  const body = JSON.stringify({
    tokenHash: hashSecret(secret),
    keyHash: requestedKeyHash(request),
  });
  const answer = await app.request(ROUTES.challenge, { method: "POST", body });
  const { challenge, difficulty } = challengeSchema.parse(await answer.json());
  return { ...enrolling, challenge, solution: solutionOf(challenge, difficulty) };
}

/** The solution of a challenge. */
export function solutionOf(challenge: string, difficulty: number): string {
  const bytes = Uint8Array.fromBase64(challenge, { alphabet: "base64url" });
  return solveChallenge(bytes, difficulty).toBase64({ alphabet: "base64url", omitPadding: true });
}
