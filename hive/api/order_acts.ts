import { z } from "@hono/zod-openapi";
import type { AuditDetail } from "../../common/audit/mod.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import type { StopKeyFacts } from "../../common/keys/mod.ts";
import { readDirective, readPack } from "../../common/wire/mod.ts";
import type { Commands } from "../command/commands.ts";
import type { Sent } from "../command/outbox.ts";
import { type Order, orderSchema } from "../command/schemas.ts";
import { APPROVAL_MS } from "../operators/mod.ts";
import type { ApiContext } from "./context.ts";
import { PACKS_PATH, stopKeyRequest, stopRequest } from "./order_schemas.ts";
import { type Asking, type Heard, trustAct } from "./two_person.ts";
import type { PolicyBody } from "../../common/wire/mod.ts";

/** Files of a pack that are named to whoever approves it; the others are counted. */
const FILES_NAMED_MAX = 20;

type Does<P> = (asking: Asking<P>) => Promise<Heard<Sent>>;

/** An order, and for whom. */
interface Ordered {
  readonly order: Order;
  /** Host id; `null` = every host. */
  readonly host: string | null;
  /** How long it holds from when it is sent, in milliseconds. */
  readonly validMs: number;
}

/**
 * The act that sends an order.
 *
 * @param api What sends it.
 */
export function orderAct(api: ApiContext): Does<Ordered> {
  const options = ({ host, validMs }: Ordered): { validMs: number; host: string | undefined } => ({
    validMs,
    host: host ?? undefined,
  });
  return trustAct<Ordered, Sent>(api, {
    action: "directive.send",
    setting: "directive.send",
    needs: ["create", "directives"],
    payload: z.strictObject({
      order: orderSchema,
      host: z.string().nullable(),
      validMs: z.number(),
    }),
    object: ({ order }) => order.kind,
    detail: ({ order, host, validMs }) => ({
      host: host ?? "every host",
      holds_s: validMs / 1000,
      ...(order.kind === "rules" ? describePack(api, order.body.pack) : describePolicy(order.body)),
    }),
    // The pack has to be there yet when somebody approves it.
    check: async (asked) =>
      void await commandsOf(api).checkOrder(asked.order, {
        ...options(asked),
        waitMs: APPROVAL_MS,
      }),
    // Whoever approves it has not seen an order that went out since.
    standing: async ({ order }) => {
      const [last] = await api.store.directives(1, { kind: order.kind });
      return String(last?.number ?? 0);
    },
    run: (asked, by) => commandsOf(api).send(asked.order, { ...options(asked), by }),
  });
}

/** What a policy changes, for people; what it leaves to the host is said too. */
function describePolicy({ open, wakeIntervalUs, watch }: PolicyBody): AuditDetail {
  const own = "as the host has it";
  return {
    opens: open ?? own,
    wakes: wakeIntervalUs === null ? own : `every ${wakeIntervalUs} µs`,
    watched_besides: watch === null ? own : pathsText(watch),
  };
}

/** Each in quotes: a path may have blanks. */
function pathsText(paths: readonly string[]): string {
  return paths.length === 0 ? "nothing" : paths.map((path) => JSON.stringify(path)).join(" ");
}

/** What is in a pack, for people: all of it is at its own path. */
function describePack(api: ApiContext, hash: string | null): AuditDetail {
  if (hash === null) return { rules: "each host's own" };
  const bytes = commandsOf(api).pack(hash);
  if (bytes === undefined) return { rules: "a pack that is not here any more" };
  const files = readPack(bytes);
  const named = files.slice(0, FILES_NAMED_MAX).map(({ name }) => name).join(" ");
  const more = files.length - FILES_NAMED_MAX;
  return {
    pack: hash,
    files: files.length,
    rules: more > 0 ? `${named} and ${more} more` : named,
    read: `${PACKS_PATH}/${hash}`,
  };
}

/**
 * The act that puts another directive key in force.
 *
 * @param api What does it.
 */
export function keyRotation(api: ApiContext): Does<Record<string, never>> {
  return trustAct<Record<string, never>, Sent>(api, {
    action: "directive_key.rotate",
    setting: "directive_key.rotate",
    needs: ["change", "directive_key"],
    payload: z.strictObject({}),
    object: () => "directive key",
    standing: () => Promise.resolve(commandsOf(api).directiveKey),
    run: (_, by) => commandsOf(api).rotate(by),
  });
}

/** What is published of a stop key, and what the one before signed. */
interface NewStopKey {
  readonly facts: StopKeyFacts;
  readonly signature: string | null;
}

/**
 * The act that takes a stop key.
 *
 * @param api What takes it.
 */
export function stopKeyAct(api: ApiContext): Does<NewStopKey> {
  return trustAct<NewStopKey, Sent>(api, {
    action: "kill_switch.init",
    setting: "kill_switch.init",
    needs: ["change", "kill_switch"],
    payload: stopKeyRequest.omit({ reason: true }),
    object: ({ facts }) => facts.publicKey,
    detail: ({ facts }) => ({ holders: facts.holders, threshold: facts.threshold }),
    check: ({ facts, signature }) => commandsOf(api).checkStopKey(facts, signature),
    standing: async () => (await commandsOf(api).stopKey())?.publicKey ?? "none",
    run: ({ facts, signature }, by) => commandsOf(api).setStopKey(facts, { signature, by }),
  });
}

/** What a signed stop says. */
interface ReadStop {
  readonly action: string;
  readonly number: number;
  /** Unix time in milliseconds. */
  readonly expiresMs: number;
}

/** What the holders of the stop key signed, base64. */
interface SignedStop {
  readonly directive: string;
}

/**
 * The act that hands on what the holders of the stop key signed. It is approved as long as it holds.
 *
 * @param api What hands it on.
 */
export function stopAct(api: ApiContext): Does<SignedStop> {
  const bytesOf = ({ directive }: SignedStop): Uint8Array<ArrayBuffer> =>
    Uint8Array.fromBase64(directive);
  const read = (asked: SignedStop): ReadStop | undefined => {
    const found = readDirective(bytesOf(asked));
    if ("cause" in found || found.directive.kind !== "stop") return undefined;
    const { body: { action }, number, expiresMs } = found.directive;
    return { action, number, expiresMs };
  };
  return trustAct<SignedStop, Sent>(api, {
    action: "kill_switch.fire",
    setting: "kill_switch.fire",
    needs: ["create", "kill_switch"],
    payload: stopRequest.omit({ reason: true }),
    object: () => "every host",
    detail: (asked) => {
      const { action = "unknown", number = 0, expiresMs = 0 } = read(asked) ?? {};
      return { action, number, expires: new Date(expiresMs).toISOString() };
    },
    check: async (asked) => void await commandsOf(api).checkStop(bytesOf(asked)),
    standing: async () => (await commandsOf(api).stopKey())?.publicKey ?? "none",
    lifetimeMs: (asked) => (read(asked)?.expiresMs ?? 0) - api.clock.nowMs(),
    run: (asked, by) => commandsOf(api).stop(bytesOf(asked), by),
  });
}

/**
 * What gives orders.
 *
 * @param api Where it is.
 * @throws {ImmuneError} `NOT_FOUND` for a hive that gives none.
 */
export function commandsOf({ commands }: ApiContext): Commands {
  if (commands !== undefined) return commands;
  throw new ImmuneError("NOT_FOUND", "Cannot do this: this hive gives no orders");
}
