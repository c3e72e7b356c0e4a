import { createHash } from "node:crypto";
import * as z from "zod";
import { readIfThere, replaceFile, syncFolder } from "../../common/config/durable_file.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { type OrderTrust, orderTrustSchema } from "../../common/link/protocol.ts";
import type { TransportOptions } from "../../common/link/transport.ts";
import { jsonOf } from "../../common/text/json.ts";
import { IDENTITY_FILES, type IdentityPaths, identityPaths, next } from "./identity_paths.ts";

const hash = z.string().regex(/^[0-9a-f]{64}$/);

const identitySchema = z.object({
  agentId: z.uuid(),
  /** Id of the fleet that it is in. */
  fleetId: z.uuid(),
  /** `HOST:PORT` where batches go. */
  agents: z.string().max(300),
  /** SHA-256 of each file, so that files of two times are never used together. */
  files: z.object({ hivePem: hash, agentPem: hash, agentKey: hash }),
  /** Whose orders this host takes, as the hive said at its enrolment. */
  orders: orderTrustSchema.optional(),
});

/** Who an agent is, to whom it delivers, and what it needs for that. */
export interface Identity extends TransportOptions {
  readonly agentId: string;
  readonly fleetId: string;
  /** Whose orders this host takes, as it began; absent = nobody's. */
  readonly orders?: OrderTrust | undefined;
}

/** Times that a reader begins anew when the identity changes under its eyes. */
const READS_MAX = 5;

/**
 * Reads the identity of an agent; it changes nothing, and another process may change it meanwhile.
 *
 * @param folder The agent's folder.
 * @returns The identity, or `undefined` when the host is not enrolled.
 * @throws {ImmuneError} `STATE_UNUSABLE` when files of it are missing, changed or unreadable.
 */
export function readIdentity(folder: string): Identity | undefined {
  const paths = identityPaths(folder);
  try {
    let missing = "";
    for (let i = 0; i < READS_MAX; i++) {
      const text = readIfThere(paths.agentJson);
      if (text === undefined) return undefined;
      const { files, ...names } = identitySchema.parse(JSON.parse(text));
      const found = IDENTITY_FILES.map((name) => readNamed(paths[name], files[name])?.content);
      const [keyPem, certificatePem, hivePem] = found;
      if (keyPem !== undefined && certificatePem !== undefined && hivePem !== undefined) {
        return { ...names, certificatePem, keyPem, hivePem };
      }
      missing = paths[IDENTITY_FILES[found.indexOf(undefined)] ?? "agentJson"];
    }
    throw new Error(`"${missing}" is not the file of this enrolment`);
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
 * Writes an identity, the first one or the next. The new files wait beside the old ones until
 * `agent.json` names them: whatever happens, a reader finds the old identity or the new one.
 *
 * @param identity What to write.
 * @param folder The agent's folder.
 */
export function writeIdentity(identity: Identity, folder: string): void {
  const { agentId, fleetId, agents, certificatePem, keyPem, hivePem, orders } = identity;
  const paths = identityPaths(folder);
  const contents = { agentKey: keyPem, agentPem: certificatePem, hivePem };
  settle(paths);
  for (const name of IDENTITY_FILES) replaceFile(next(paths[name]), contents[name]);
  const files = Object.fromEntries(IDENTITY_FILES.map((name) => [name, sha256(contents[name])]));
  const json = JSON.stringify({ agentId, fleetId, agents, files, orders }, null, 2);
  replaceFile(paths.agentJson, `${json}\n`);
  for (const name of IDENTITY_FILES) Deno.renameSync(next(paths[name]), paths[name]);
  syncFolder(folder);
}

interface NamedFile {
  readonly path: string;
  readonly content: string;
}

/** The file that `agent.json` names: in its place, or waiting to be put there. */
function readNamed(path: string, wanted: string): NamedFile | undefined {
  for (const each of [path, next(path), path]) {
    const content = readIfThere(each);
    if (content !== undefined && sha256(content) === wanted) return { path: each, content };
  }
  return undefined;
}

/** Ends a change that was interrupted, before the names that wait are used again. */
function settle(paths: IdentityPaths): void {
  const found = identitySchema.safeParse(jsonOf(readIfThere(paths.agentJson)));
  if (!found.success) return;
  for (const name of IDENTITY_FILES) {
    const file = readNamed(paths[name], found.data.files[name]);
    if (file?.path === next(paths[name])) Deno.renameSync(file.path, paths[name]);
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
