import type { Refusal } from "./refusals.ts";

/** What is known of a handshake that failed. */
export interface HandshakeFacts {
  /** Bytes that the client sent. */
  readonly bytesRead: number;
}

/**
 * Why a TLS handshake failed, as far as the platform tells: a certificate that TLS refused shows
 * as a reset connection, whatever was wrong with it (measured: foreign, expired, wrong usage).
 *
 * @param error What the server was told.
 * @param facts Bytes read.
 * @returns The reason to count.
 */
export function handshakeRefusal(error: Error, { bytesRead }: HandshakeFacts): Refusal {
  const { code = "", message } = error as Error & { readonly code?: string };
  if (code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") return "no_certificate";
  if (message.includes("SupportedVersions")) return "tls_version";
  if (code === "ECONNRESET" && bytesRead > 0) return "bad_certificate";
  return "handshake";
}
