import * as z from "zod";
import { withStopKey } from "../../common/keys/mod.ts";
import {
  type Directive,
  directiveBytes,
  EVERY_HOST,
  readDirective,
  sealDirective,
  type StopAction,
} from "../../common/wire/mod.ts";
import { stopKeySchema } from "../../hive/command/schemas.ts";
import type { ApiClient } from "../api.ts";
import { requestOf } from "../asked.ts";

const PATH = "/api/v1/kill-switch";
/** How often it is looked who has answered, in milliseconds. */
const LOOK_MS = 100;

/** How the kill switch stands, as the hive tells. */
export const killSwitchSchema = z.looseObject({
  fleet: z.string(),
  stopKey: stopKeySchema.nullable(),
  last: z.looseObject({ number: z.number(), issuedAt: z.string(), by: z.string() }).nullable(),
  agents: z.array(z.looseObject({
    agentId: z.string(),
    hostName: z.string(),
    stopped: z.boolean(),
    canary: z.string(),
    heardAt: z.string().nullable(),
  })),
});
/** The same as a type. */
export type KillSwitch = z.infer<typeof killSwitchSchema>;

const outcomesSchema = z.object({
  outcomes: z.array(z.looseObject({
    agentId: z.string(),
    hostName: z.string(),
    outcome: z.enum(["done", "failed", "refused"]),
    cause: z.string().nullable(),
    text: z.string(),
  })),
});
/** What became of it on one host. */
export type Outcome = z.infer<typeof outcomesSchema>["outcomes"][number];

/**
 * Asks the hive how the kill switch stands.
 *
 * @param api The hive.
 */
export async function killSwitch(api: ApiClient): Promise<KillSwitch> {
  return killSwitchSchema.parse(await api.get(PATH));
}

/** What is signed, and with what. */
export interface StopOptions {
  readonly action: StopAction;
  readonly shares: readonly string[];
  /** How long it holds, in milliseconds. */
  readonly validMs: number;
  readonly stand: KillSwitch;
}

/**
 * Puts the stop key together in this process, signs with it, and lets it go. Only what was signed
 * leaves the process.
 *
 * @param options What is signed.
 * @returns The directive as it goes to agents.
 * @throws {ImmuneError} `SHARE_INVALID`.
 */
export async function signStop(options: StopOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { action, shares, validMs, stand: { fleet, stopKey } } = options;
  if (stopKey === null) throw new TypeError("There is no stop key");
  const issuedMs = Date.now();
  const directive: Directive = {
    kind: "stop",
    body: { action },
    fleet,
    target: EVERY_HOST,
    // Its own time counts it up: the holders need nobody to tell them which number is next.
    number: issuedMs,
    issuedMs,
    expiresMs: issuedMs + validMs,
  };
  const bytes = directiveBytes(directive);
  return await withStopKey(stopKey, {
    shares,
    use: async (key) => sealDirective(bytes, await key.sign("stop", bytes)),
  });
}

/** What the hive did with it. */
export interface SentStop {
  /** The directive's number. */
  readonly number: number;
  /** The request, where another person has to approve it first. */
  readonly request?: string;
}

/**
 * Hands it to the hive.
 *
 * @param api The hive.
 * @param stop `bytes`: the directive; `reason`: for whoever has to approve it.
 */
export async function sendStop(
  api: ApiClient,
  { bytes, reason }: {
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly reason?: string | undefined;
  },
): Promise<SentStop> {
  const read = readDirective(bytes);
  if ("cause" in read) throw new TypeError("This is no directive");
  const answer = await api.send("post", `${PATH}/stops`, {
    body: { directive: bytes.toBase64(), ...(reason === undefined ? {} : { reason }) },
  });
  const request = requestOf(answer);
  // The holders' own time is its number, also before it went out.
  const { number } = read.directive;
  return request === undefined ? { number } : { number, request };
}

/** Whose answers are waited for. */
export interface WaitOptions {
  readonly number: number;
  /** How many hosts there are. */
  readonly hosts: number;
  /** Longest wait, in milliseconds. */
  readonly waitMs: number;
}

/**
 * Waits until every host has answered, or long enough.
 *
 * @param api The hive.
 * @param options Which directive, how long.
 * @returns What became of it on each host that answered.
 */
export async function awaitOutcomes(
  api: ApiClient,
  { number, hosts, waitMs }: WaitOptions,
): Promise<readonly Outcome[]> {
  const until = performance.now() + waitMs;
  for (;;) {
    const answer = await api.get(`/api/v1/directives/stop/${number}`);
    const { outcomes } = outcomesSchema.parse(answer);
    if (outcomes.length >= hosts || performance.now() >= until) return outcomes;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
