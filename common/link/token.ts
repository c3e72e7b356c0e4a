import { ImmuneError } from "../config/errors.ts";
import { splitAddress } from "./address.ts";
import { type EnrollmentToken, TOKEN_CHARACTERS_MAX, tokenSchema } from "./protocol.ts";

/** What to do about a token that does not hold. */
const REMEDY = "make a new one on the hive and hand it over whole";

/**
 * Writes an enrolment token.
 *
 * @param token What it says.
 * @returns One line of base64url (RFC 4648, section 5) without padding.
 */
export function encodeToken(token: EnrollmentToken): string {
  const json = new TextEncoder().encode(JSON.stringify(token));
  return json.toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * Reads an enrolment token.
 *
 * @param text The token; space around it is no part of it.
 * @returns What it says, checked.
 * @throws {ImmuneError} `TOKEN_INVALID`, with no part of the token in the message.
 */
export function decodeToken(text: string): EnrollmentToken {
  const trimmed = text.trim();
  if (trimmed.length === 0) throw invalid("it is empty");
  if (trimmed.length > TOKEN_CHARACTERS_MAX) {
    throw invalid(`it has more than ${TOKEN_CHARACTERS_MAX} characters`);
  }
  const found = tokenSchema.safeParse(parsed(trimmed));
  if (!found.success) {
    const field = found.error.issues[0]?.path.join(".");
    throw invalid(field ? `its field "${field}" does not hold` : "it holds something else");
  }
  checkAddress("enroll", found.data.enroll);
  checkAddress("agents", found.data.agents);
  return found.data;
}

function parsed(text: string): unknown {
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
  } catch {
    throw invalid("it is not base64url; a part of it may be missing");
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw invalid("its content is cut or changed");
  }
}

function checkAddress(name: string, address: string): void {
  if (splitAddress(address) === undefined) {
    throw invalid(`its field "${name}" is not HOST:PORT`);
  }
}

function invalid(why: string): ImmuneError {
  return new ImmuneError("TOKEN_INVALID", `Cannot use enrolment token: ${why}; ${REMEDY}`);
}
