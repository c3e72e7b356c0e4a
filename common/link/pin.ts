import { ImmuneError } from "../config/errors.ts";

/** Says that trusted certificates come from the files below and not from the program. */
const STORE_VARIABLE = "DENO_TLS_CA_STORE";
/** The only file with certificates that are trusted by all clients. */
const FILE_VARIABLE = "SSL_CERT_FILE";
/** Holds no certificate. */
const NO_FILE = "/dev/null";
/** Variables that would add trusted certificates. */
const ADDING_VARIABLES = ["SSL_CERT_DIR", "DENO_CERT", "NODE_EXTRA_CA_CERTS"] as const;

/** Variables that a process which talks to a pinned hive must be allowed to read. */
export const PIN_VARIABLES: readonly string[] = [
  STORE_VARIABLE,
  FILE_VARIABLE,
  ...ADDING_VARIABLES,
];

/**
 * The environment of a process that trusts nobody by itself. `caCerts` of a client add to what the
 * system trusts, and that is read once, at the start: so it is made to be nothing, and a client's
 * `caCerts` are all that counts. Pins then change with a new client, without a new process. To be
 * used with `clearEnv`, because a variable that adds certificates must be gone, not empty.
 *
 * @param environment What else the process gets. Default: nothing.
 * @returns The whole environment.
 */
export function pinnedEnvironment(
  environment: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const kept = Object.entries(environment).filter(([name]) => !PIN_VARIABLES.includes(name));
  return { ...Object.fromEntries(kept), [STORE_VARIABLE]: "system", [FILE_VARIABLE]: NO_FILE };
}

/**
 * Refuses to go on in a process that would trust more than a client's own `caCerts`.
 *
 * @param variable Reads an environment variable. Default: that of this process.
 * @throws {ImmuneError} `HIVE_UNREACHABLE` naming the variable that is wrong.
 */
export function checkPinned(
  variable: (name: string) => string | undefined = (name) => Deno.env.get(name),
): void {
  const wanted = pinnedEnvironment();
  const wrong = PIN_VARIABLES.find((name) => variable(name) !== wanted[name]);
  if (wrong === undefined) return;
  const what = wanted[wrong] === undefined ? "unset" : `"${wanted[wrong]}"`;
  throw new ImmuneError(
    "HIVE_UNREACHABLE",
    `Cannot trust the hive's certificates alone: variable "${wrong}" must be ${what}; start ` +
      "through the program's own launcher",
  );
}

/**
 * A certificate as PEM (RFC 7468).
 *
 * @param der The certificate.
 * @returns Its text, lines of 64 characters.
 */
export function certificatePem(der: Uint8Array): string {
  return pem("CERTIFICATE", der);
}

/**
 * A label and bytes as PEM (RFC 7468).
 *
 * @param label For instance `PRIVATE KEY`.
 * @param der The bytes.
 * @returns Its text, lines of 64 characters.
 */
export function pem(label: string, der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/**
 * The bytes of a certificate in PEM.
 *
 * @param text One certificate.
 * @returns The bytes (DER), or `undefined` when the text is something else.
 */
export function certificateDer(text: string): Uint8Array<ArrayBuffer> | undefined {
  const found = /^-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)-----END CERTIFICATE-----\s*$/
    .exec(text.replaceAll("\r", ""));
  try {
    return found === null ? undefined : Uint8Array.fromBase64(found[1] ?? "");
  } catch {
    return undefined;
  }
}

/**
 * The certificates of a PEM file, one behind the other.
 *
 * @param text Any number of certificates.
 * @returns Each as PEM, without what stands between them.
 */
export function certificatesIn(text: string): string[] {
  const block = /-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+/=\r\n]+-----END CERTIFICATE-----/g;
  return (text.match(block) ?? []).map((pem) => `${pem}\n`);
}

/**
 * Fingerprint of a certificate.
 *
 * @param der The certificate.
 * @returns SHA-256, 64 lower-case hexadecimal digits.
 */
export async function fingerprint(der: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", der)).toHex();
}

/**
 * Says which certificates an agent pins, to be compared with what its hive has.
 *
 * @param pins The certificates (DER), in any order.
 * @returns SHA-256 over their fingerprints, 64 lower-case hexadecimal digits.
 */
export async function pinSetId(pins: readonly Uint8Array<ArrayBuffer>[]): Promise<string> {
  const all = await Promise.all(pins.map((der) => fingerprint(der)));
  return await fingerprint(new TextEncoder().encode(all.toSorted().join("\n")));
}
