import { AuditLog, type AuditLogOptions } from "./log.ts";
import type { AuditFact } from "./entry.ts";

/**
 * Runs a test with a folder that goes afterwards.
 *
 * @param test Gets the path of a log's folder that is not there yet.
 */
export async function inFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  const parent = await Deno.makeTempDir();
  try {
    await test(`${parent}/audit`);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

/**
 * A decision of a test.
 *
 * @param number Tells it from others.
 */
export function sampleFact(number: number): AuditFact {
  return {
    actor: { kind: "person", id: `person-${number % 3}`, name: "Ada" },
    action: number % 2 === 0 ? "agent.revoke" : "rules.push",
    object: `object ${number}`,
    decision: "allowed",
    detail: { number, note: "because" },
  };
}

/** Options that fill segments quickly. */
export const SMALL: AuditLogOptions = { segmentBytesMax: 1000 };

/**
 * Writes a log.
 *
 * @param folder Its folder.
 * @param options Count of entries, and those of the log.
 */
export async function writeLog(
  folder: string,
  options: AuditLogOptions & { readonly entries: number },
): Promise<void> {
  using audit = AuditLog.open(folder, options);
  for (let i = 1; i <= options.entries; i++) await audit.append(sampleFact(i));
}
