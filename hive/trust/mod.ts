/**
 * The hive's certificates: its authority, its server certificate, and the check of agents'.
 *
 * @example The authority signs an agent's request
 * ```ts
 * import { Authority } from "./mod.ts";
 * import { KEY_ALGORITHM, makeKeyPair } from "./key.ts";
 * import { Pkcs10CertificateRequestGenerator } from "./x509.ts";
 *
 * const folder = await Deno.makeTempDir();
 * const authority = await Authority.open(folder);
 * const request = await Pkcs10CertificateRequestGenerator.create({
 *   keys: await makeKeyPair(),
 *   signingAlgorithm: KEY_ALGORITHM,
 * });
 * const agentId = crypto.randomUUID();
 * const { pem } = await authority.sign(request.toString("pem"), { agentId });
 * if (!pem.startsWith("-----BEGIN CERTIFICATE-----")) throw new Error("not signed");
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @module
 */
export * from "./authority.ts";
export * from "./client_certificate.ts";
export { fingerprint } from "./fingerprint.ts";
export { fleetDomain, isUuid, openFleetId } from "./fleet_id.ts";
export { checkImported, IMPORTED_DAYS_MIN } from "./imported.ts";
export * from "./server_certificate.ts";
