import { X509Certificate } from "node:crypto";
import type { z } from "zod";
import { ImmuneError } from "../../common/config/errors.ts";
import { moduleAddress, type ProgramModule } from "../../common/config/program.ts";
import { printable } from "../../common/link/answer.ts";
import { certificateDer, certificatePem } from "../../common/link/pin.ts";
import {
  errorSchema,
  pinsResponseSchema,
  renewResponseSchema,
  ROUTES,
} from "../../common/link/protocol.ts";
import type { HiveTransport } from "../../common/link/transport.ts";
import { jsonOf } from "../../common/text/json.ts";
import type { Identity } from "./identity.ts";

/** What makes a request: needed once in two months, and larger than all else that the agent loads. */
export const REQUEST_MODULE: ProgramModule = {
  name: "immune-request",
  source: "agent/enrol/request.ts",
};

/** Share of a certificate's life after which the agent asks for the next: a month of 90 days left. */
export const RENEW_AFTER_SHARE = 2 / 3;

/**
 * When the next certificate is due.
 *
 * @param certificatePem The agent's certificate.
 * @returns Unix time in milliseconds.
 */
export function renewalDueMs(certificatePem: string): number {
  const { validFrom, validTo } = new X509Certificate(certificatePem);
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  return from + (to - from) * RENEW_AFTER_SHARE;
}

/**
 * Asks the hive for this agent's next certificate, for a new key that is made on this host.
 *
 * @param identity The identity in use.
 * @param via The way to the hive.
 * @returns The next identity. The one in use is good until the next is used.
 * @throws {ImmuneError} `HIVE_UNREACHABLE`, or as the hive refuses.
 */
export async function renewIdentity(
  identity: Identity,
  via: { readonly transport: Pick<HiveTransport, "ask">; readonly signal: AbortSignal },
): Promise<Identity> {
  const { makeKeyAndRequest }: typeof import("./request.ts") = await import(
    moduleAddress(REQUEST_MODULE)
  );
  const { keyPem, requestPem } = await makeKeyAndRequest();
  const body = { request: requestPem };
  const asked = { route: ROUTES.renew, body, signal: via.signal };
  const { certificate, pins } = await ask(via.transport, asked, renewResponseSchema);
  if (certificateDer(certificate) === undefined) throw noHive("gives no certificate");
  const next = { ...identity, keyPem, certificatePem: certificate, hivePem: pemOf(pins) };
  // What cannot be read would be found out when the old one is gone.
  renewalDueMs(certificate);
  return next;
}

/**
 * Asks the hive what this agent is to pin from now on.
 *
 * @param identity The identity in use.
 * @param via The way to the hive, which is one that is pinned now.
 * @returns The identity with new pins.
 * @throws {ImmuneError} `HIVE_UNREACHABLE`, or as the hive refuses.
 */
export async function refreshPins(
  identity: Identity,
  via: { readonly transport: Pick<HiveTransport, "ask">; readonly signal: AbortSignal },
): Promise<Identity> {
  const asked = { route: ROUTES.pins, signal: via.signal };
  const { pins } = await ask(via.transport, asked, pinsResponseSchema);
  return { ...identity, hivePem: pemOf(pins) };
}

async function ask<T>(
  transport: Pick<HiveTransport, "ask">,
  question: Parameters<HiveTransport["ask"]>[0],
  schema: z.ZodType<T>,
): Promise<T> {
  let answer: Awaited<ReturnType<HiveTransport["ask"]>>;
  try {
    answer = await transport.ask(question);
  } catch (cause) {
    throw new ImmuneError(
      "HIVE_UNREACHABLE",
      `Cannot ask the hive for "${question.route}": ${String(cause)}`,
      { cause },
    );
  }
  const body = jsonOf(answer.text);
  const found = schema.safeParse(body);
  if (answer.status === 200 && found.success) return found.data;
  const error = errorSchema.safeParse(body).data?.error;
  if (error === undefined) throw noHive(`answers "${question.route}" with ${answer.status}`);
  throw new ImmuneError(
    answer.status === 403 ? "CERTIFICATE_REFUSED" : "HIVE_UNREACHABLE",
    `Cannot get "${question.route}" from the hive: ${printable(error.message)}`,
  );
}

function pemOf(pins: readonly string[]): string {
  return pins.map((der) => certificatePem(Uint8Array.fromBase64(der))).join("");
}

function noHive(what: string): ImmuneError {
  return new ImmuneError("HIVE_UNREACHABLE", `Cannot go on: what is there ${what}, it is no hive`);
}
