import { KEY_ALGORITHM, makeKeyPair, privateKeyPem, randomSerial, readPrivateKey } from "./key.ts";
import {
  AuthorityKeyIdentifierExtension,
  type Extension,
  type JsonGeneralNames,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "./x509.ts";

/** An agent's key and its request. */
export interface Requester {
  readonly keyPem: string;
  readonly request: string;
}

/** Makes a key and a request for it, as an agent does. */
export function makeRequest(): Promise<Requester> {
  return requestWith({});
}

/** A request that asks for more than it gets. */
export async function requestWith(asked: {
  readonly name?: string;
  readonly names?: JsonGeneralNames;
  readonly extensions?: readonly Extension[];
}): Promise<Requester> {
  const { name = "CN=whatever the agent likes", names, extensions = [] } = asked;
  const keys = await makeKeyPair();
  const request = await Pkcs10CertificateRequestGenerator.create({
    name,
    keys,
    signingAlgorithm: KEY_ALGORITHM,
    extensions: [
      ...extensions,
      ...(names === undefined ? [] : [new SubjectAlternativeNameExtension(names)]),
    ],
  });
  return { keyPem: await privateKeyPem(keys.privateKey), request: request.toString("pem") };
}

/**
 * Signs with the authority's own key what the authority itself never would.
 *
 * @param folder The hive's folder, with `ca.pem` and `ca.key`.
 * @param options The request, and the extensions that the certificate is to have.
 * @returns The certificate (PEM).
 */
export async function signWith(
  folder: string,
  options: { readonly request: string; readonly extensions: readonly Extension[] },
): Promise<string> {
  const authority = new X509Certificate(Deno.readTextFileSync(`${folder}/ca.pem`));
  const request = new Pkcs10CertificateRequest(options.request);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    issuer: authority.subject,
    subject: "CN=signed in a test",
    notBefore: new Date(Date.now() - 1000),
    notAfter: new Date(Date.now() + 3_600_000),
    publicKey: await request.publicKey.export(KEY_ALGORITHM, ["verify"]),
    signingKey: await readPrivateKey(Deno.readTextFileSync(`${folder}/ca.key`)),
    signingAlgorithm: KEY_ALGORITHM,
    extensions: [...options.extensions, await AuthorityKeyIdentifierExtension.create(authority)],
  });
  return certificate.toString("pem");
}

/** Runs a test in a folder of its own, which is gone afterwards. */
export async function inFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "immune-hive-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
