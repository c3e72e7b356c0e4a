import { createHash } from "node:crypto";
import { z } from "zod";
import { readIfThere, replaceFile } from "../../common/config/durable_file.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { type OrderTrust, orderTrustSchema } from "../../common/link/protocol.ts";
import type { TransportOptions } from "../../common/link/transport.ts";

/** Files of an identity in the agent's folder. */
export interface IdentityPaths {
  /** The hive's certificate (PEM): the only one that is trusted. */
  readonly hivePem: string;
  /** The agent's certificate (PEM). */
  readonly agentPem: string;
  /** Its key (PKCS #8, PEM); it never leaves the host. */
  readonly agentKey: string;
  /** Id, addresses, and the hashes of the other three: written last. */
  readonly agentJson: string;
}

/**
 * Where an identity lies.
 *
 * @param folder The agent's folder.
 * @returns Paths.
 */
export function identityPaths(folder: string): IdentityPaths {
  return {
    hivePem: `${folder}/hive.pem`,
    agentPem: `${folder}/agent.pem`,
    agentKey: `${folder}/agent.key`,
    agentJson: `${folder}/agent.json`,
  };
}

const hash = z.string().regex(/^[0-9a-f]{64}$/);

const identitySchema = z.object({
  agentId: z.uuid(),
  /** `HOST:PORT` where batches go. */
  agents: z.string().max(300),
  /** SHA-256 of each file, so that files of two enrolments are never used together. */
  files: z.object({ hivePem: hash, agentPem: hash, agentKey: hash }),
  /** Whose orders this host takes, as the hive said at its enrolment. */
  orders: orderTrustSchema.optional(),
});

/** Who an agent is, to whom it delivers, and what it needs for that. */
export interface Identity extends TransportOptions {
  readonly agentId: string;
  /** Whose orders this host takes, as it began; absent = nobody's. */
  readonly orders?: OrderTrust | undefined;
}

/**
 * Reads the identity of an agent.
 *
 * @param folder The agent's folder.
 * @returns The identity, or `undefined` when the host is not enrolled.
 * @throws {ImmuneError} `STATE_UNUSABLE` when files of it are missing, changed or unreadable.
 */
export function readIdentity(folder: string): Identity | undefined {
  const paths = identityPaths(folder);
  try {
    const text = readIfThere(paths.agentJson);
    if (text === undefined) return undefined;
    const { agentId, agents, files, orders } = identitySchema.parse(JSON.parse(text));
    const [hivePem, certificatePem, keyPem] = (["hivePem", "agentPem", "agentKey"] as const).map(
      (name) => {
        const content = readIfThere(paths[name]) ?? "";
        if (sha256(content) === files[name]) return content;
        throw new Error(`"${paths[name]}" is not the file of this enrolment`);
      },
    ) as [string, string, string];
    return { agentId, agents, certificatePem, keyPem, hivePem, hivePemPath: paths.hivePem, orders };
  } catch (cause) {
    const why = cause instanceof z.ZodError || cause instanceof SyntaxError
      ? `"${paths.agentJson}" does not hold`
      : cause instanceof Error
      ? cause.message
      : String(cause);
    throw new ImmuneError(
      "STATE_UNUSABLE",
      `Cannot use identity in "${folder}": ${why}; remove agent.json and enrol again`,
      { cause },
    );
  }
}

/**
 * Writes an identity. It counts as one only with its last file: a crash on the way leaves a host
 * that is not enrolled.
 *
 * @param identity What to write.
 * @param folder The agent's folder; `hive.pem` is in it.
 */
export function writeIdentity(
  identity: Omit<Identity, "hivePemPath">,
  folder: string,
): void {
  const { agentId, agents, certificatePem, keyPem, hivePem, orders } = identity;
  const paths = identityPaths(folder);
  replaceFile(paths.agentKey, keyPem);
  replaceFile(paths.agentPem, certificatePem);
  replaceFile(paths.hivePem, hivePem);
  const files = {
    hivePem: sha256(hivePem),
    agentPem: sha256(certificatePem),
    agentKey: sha256(keyPem),
  };
  replaceFile(paths.agentJson, `${JSON.stringify({ agentId, agents, files, orders }, null, 2)}\n`);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
