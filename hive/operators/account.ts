import * as z from "zod";
import { ROLES } from "./role.ts";

/** Form of an account's name: what people type, and nothing that looks like something else. */
export const NAME_FORM = /^[a-z0-9][a-z0-9._@+-]{0,62}[a-z0-9]$/;
/** Most passkeys of an account. */
export const PASSKEYS_MAX = 8;

const passkeySchema = z.object({
  /** Credential id, base64url. */
  id: z.string(),
  /** COSE key, base64url. */
  publicKey: z.string(),
  /** Signature counter; 0 = the authenticator has none. */
  counter: z.int().nonnegative(),
  transports: z.array(z.string()).optional(),
  /** Host that it was made for. */
  rpId: z.string(),
  name: z.string(),
  createdAt: z.string(),
});

/** A passkey of an account. */
export type Passkey = z.infer<typeof passkeySchema>;

/** An account, as the store keeps it. */
export const accountSchema = z.object({
  id: z.uuid(),
  name: z.string().regex(NAME_FORM),
  role: z.enum(ROLES),
  disabled: z.boolean(),
  createdAt: z.string(),
  /** When a person last signed in; null = never. */
  signedInAt: z.string().nullable(),
  /** Hash of the password, PHC string; null = none. */
  password: z.string().nullable(),
  /** Authenticator app: secret, and the last step whose code was taken; null = none. */
  totp: z.object({ secret: z.string(), lastStep: z.int() }).nullable(),
  /** Hashes of the recovery codes that are left. */
  recovery: z.array(z.string()),
  passkeys: z.array(passkeySchema).max(PASSKEYS_MAX),
  /** Subject at the OpenID provider; null = none. */
  oidcSubject: z.string().max(255).nullable(),
});

/** A person's account. */
export type Account = z.infer<typeof accountSchema>;

/** An account without what it signs in with, for people to see. */
export interface AccountView {
  readonly id: string;
  readonly name: string;
  readonly role: Account["role"];
  readonly disabled: boolean;
  readonly createdAt: string;
  readonly signedInAt: string | null;
  /** Ways to sign in. */
  readonly password: boolean;
  readonly totp: boolean;
  readonly passkeys: number;
  readonly recoveryCodes: number;
  readonly oidcSubject: string | null;
}

/**
 * What others may see of an account.
 *
 * @param account The account.
 */
export function accountView(account: Account): AccountView {
  const { id, name, role, disabled, createdAt, signedInAt, oidcSubject } = account;
  return {
    id,
    name,
    role,
    disabled,
    createdAt,
    signedInAt,
    password: account.password !== null,
    totp: account.totp !== null,
    passkeys: account.passkeys.length,
    recoveryCodes: account.recovery.length,
    oidcSubject,
  };
}
