import * as z from "zod";
import { type Clock, ImmuneError, readIfThere, replaceFile } from "../../common/config/mod.ts";
import { AUTHORITY_DAYS, CLOCK_SKEW_MS, DAY_MS } from "./dates.ts";
import { KEY_ALGORITHM, makeKeyPair, privateKeyPem, randomSerial } from "./key.ts";
import { type FreshKeyFiles, type KeyFiles, openKeyFiles } from "./key_files.ts";
import { nameConstraints } from "./name_constraints.ts";
import { promoteKeyFiles } from "./promote.ts";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "./x509.ts";

/** Name of the authority, which says what it is and nothing about the host. */
const AUTHORITY_NAME = "Sentinel Immune hive authority";
/** The authority in use, and the one that is to follow it, while it does. */
const NAMES = ["ca", "ca.next"] as const;
/** Says which authority's certificates are accepted besides, and until when. */
const FORMER_FILE = "ca.former.json";

const formerSchema = z.object({ certificatePem: z.string(), untilMs: z.int() });
/** An authority that signs no more, and until when its certificates are accepted. */
export type Former = z.infer<typeof formerSchema>;

/** The authority's files as they are. */
export interface AuthorityFiles {
  readonly current: KeyFiles;
  readonly former: Former | undefined;
}

/**
 * Reads the authority's files; makes them where there are none, and ends a change that was
 * interrupted.
 *
 * @param folder The hive's folder.
 * @param options The fleet whose names it is for, and the clock.
 * @throws {ImmuneError} `STATE_UNUSABLE`.
 */
export async function openAuthorityFiles(
  folder: string,
  { fleetId, clock }: { readonly fleetId: string; readonly clock: Clock },
): Promise<AuthorityFiles> {
  promoteKeyFiles(folder, NAMES);
  const current = await openKeyFiles(
    `${folder}/ca`,
    () => makeAuthority(fleetId, clock.nowMs()),
  );
  const former = readFormer(folder);
  return {
    current,
    former: former?.certificatePem === current.certificatePem ? undefined : former,
  };
}

/**
 * Puts another authority in the place of the one in use. The key of that one is gone afterwards.
 *
 * @param folder The hive's folder.
 * @param change The new pair, and until when certificates of the old one are accepted.
 */
export function replaceAuthorityFiles(
  folder: string,
  { fresh, former }: { readonly fresh: FreshKeyFiles; readonly former: Former },
): void {
  replaceFile(`${folder}/ca.next.key`, fresh.keyPem);
  replaceFile(`${folder}/${FORMER_FILE}`, `${JSON.stringify(former)}\n`);
  replaceFile(`${folder}/ca.next.pem`, fresh.certificatePem);
  promoteKeyFiles(folder, NAMES);
}

/**
 * Makes an authority that can sign certificates of one fleet's clients and nothing else: path
 * length 0, certificate signing alone, clients alone, names of the fleet alone.
 *
 * @param fleetId A UUID.
 * @param nowMs Unix time in milliseconds.
 */
export async function makeAuthority(fleetId: string, nowMs: number): Promise<FreshKeyFiles> {
  const keys = await makeKeyPair();
  const serialNumber = randomSerial();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber,
    // Two authorities are accepted for a while: their names tell them apart.
    name: `CN=${AUTHORITY_NAME} ${serialNumber.slice(-8)}`,
    notBefore: new Date(nowMs - CLOCK_SKEW_MS),
    notAfter: new Date(nowMs + AUTHORITY_DAYS * DAY_MS),
    keys,
    signingAlgorithm: KEY_ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]),
      nameConstraints(fleetId),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certificatePem: `${certificate.toString("pem")}\n`,
    keyPem: await privateKeyPem(keys.privateKey),
  };
}

function readFormer(folder: string): Former | undefined {
  const path = `${folder}/${FORMER_FILE}`;
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return formerSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new ImmuneError(
      "STATE_UNUSABLE",
      `Cannot use "${path}": it does not say which authority was there before; restore it, or ` +
        "remove it and enrol agents again that have no newer certificate",
      { cause },
    );
  }
}
