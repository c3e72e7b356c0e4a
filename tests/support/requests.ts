import { PemConverter } from "../../hive/trust/x509.ts";

/**
 * A certificate request of openssl's, for a key that is not the usual one.
 *
 * @param args What says which key.
 */
export async function requestOf(args: readonly string[]): Promise<string> {
  const { stdout } = await new Deno.Command("openssl", {
    args: ["req", "-new", ...args, "-nodes", "-keyout", "/dev/null", "-subj", "/CN=a"],
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

/**
 * The same request with one bit of its signature turned.
 *
 * @param request PEM.
 */
export function brokenSignature(request: string): string {
  const der = new Uint8Array(PemConverter.decodeFirst(request));
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  return PemConverter.encode(der, "CERTIFICATE REQUEST");
}
