import { Secret, TOTP } from "otpauth";

/** Seconds of a step (RFC 6238, 4). */
export const TOTP_STEP_S = 30;
/** Steps before and after the present one whose codes are taken too. */
export const TOTP_WINDOW = 1;
/** Name that an authenticator app shows. */
const ISSUER = "Sentinel Immune";
const SECRET_BYTES = 20;

/** A new secret of an authenticator app. */
export interface NewTotp {
  /** Base32 (RFC 4648), 32 characters. */
  readonly secret: string;
  /** `otpauth:` address for the app. */
  readonly uri: string;
}

function totpOf(secret: string, label: string): TOTP {
  return new TOTP({
    issuer: ISSUER,
    label,
    algorithm: "SHA1",
    digits: 6,
    period: TOTP_STEP_S,
    secret: Secret.fromBase32(secret),
  });
}

/**
 * A new secret.
 *
 * @param name Name of the account, as the app shows it.
 */
export function newTotp(name: string): NewTotp {
  const secret = new Secret({ size: SECRET_BYTES }).base32;
  return { secret, uri: totpOf(secret, name).toString() };
}

/**
 * Checks a code.
 *
 * @param code Six digits.
 * @param secret Base32.
 * @param options Unix time in milliseconds, and the last step whose code was taken: one at or
 * before it is refused, so that a code that was seen cannot be used again (RFC 6238, 5.2).
 * @returns The code's step, to be kept; `undefined` when it does not hold.
 */
export function totpStep(
  code: string,
  secret: string,
  options: { readonly nowMs: number; readonly lastStep: number },
): number | undefined {
  const { nowMs, lastStep } = options;
  if (!/^\d{6}$/.test(code)) return undefined;
  const delta = totpOf(secret, "").validate({
    token: code,
    timestamp: nowMs,
    window: TOTP_WINDOW,
  });
  if (delta === null) return undefined;
  const step = Math.floor(nowMs / 1000 / TOTP_STEP_S) + delta;
  return step > lastStep ? step : undefined;
}

/**
 * The code of a moment, as an app shows it.
 *
 * @param secret Base32.
 * @param nowMs Unix time in milliseconds.
 */
export function totpCode(secret: string, nowMs: number): string {
  return totpOf(secret, "").generate({ timestamp: nowMs });
}
