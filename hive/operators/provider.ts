import { type Config, ImmuneError } from "../../common/config/mod.ts";
import type { OidcProvider } from "./oidc.ts";

/**
 * The OpenID provider that settings name; its secret is read from its file.
 *
 * @param operators Settings.
 * @returns It; `undefined` when there is none.
 * @throws {ImmuneError} `FILE_UNREADABLE` when the secret's file cannot be read.
 */
export function configuredProvider(operators: Config["operators"]): OidcProvider | undefined {
  const { oidc_issuer: issuer, oidc_client_id: clientId, oidc_secret_file: file } = operators;
  if (issuer === "") return undefined;
  if (file === "") return { issuer, clientId };
  try {
    return { issuer, clientId, clientSecret: Deno.readTextFileSync(file).trim() };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("FILE_UNREADABLE", `Cannot read the OpenID secret "${file}": ${why}`, {
      cause,
    });
  }
}
