import { z } from "@hono/zod-openapi";
import { ImmuneError } from "../../common/config/errors.ts";
import type { StopKeyFacts } from "../../common/keys/mod.ts";
import { readDirective } from "../../common/wire/mod.ts";
import type { Commands, Sent } from "../command/commands.ts";
import { type Order, orderSchema } from "../command/schemas.ts";
import type { ApiContext } from "./context.ts";
import { stopKeyRequest, stopRequest } from "./order_schemas.ts";
import { type Asking, type Heard, trustAct } from "./two_person.ts";

/** Orders that are looked through for the last one of a kind. */
const LAST_ORDERS_MAX = 256;

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
    detail: ({ order, host }) => ({
      host: host ?? "every host",
      body: JSON.stringify(order.body),
    }),
    check: async (asked) => void await commandsOf(api).checkOrder(asked.order, options(asked)),
    // Whoever approves it has not seen an order that went out since.
    standing: async ({ order }) => {
      const rows = await api.store.directives(LAST_ORDERS_MAX);
      return String(rows.find(({ kind }) => kind === order.kind)?.number ?? 0);
    },
    run: (asked, by) => commandsOf(api).send(asked.order, { ...options(asked), by }),
  });
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
  const read = (asked: SignedStop): { action: string; expiresMs: number } | undefined => {
    const found = readDirective(bytesOf(asked));
    if ("cause" in found || found.directive.kind !== "stop") return undefined;
    const { body: { action }, expiresMs } = found.directive;
    return { action, expiresMs };
  };
  return trustAct<SignedStop, Sent>(api, {
    action: "kill_switch.fire",
    setting: "kill_switch.fire",
    needs: ["create", "kill_switch"],
    payload: stopRequest.omit({ reason: true }),
    object: () => "every host",
    detail: (asked) => ({ action: read(asked)?.action ?? "unknown" }),
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
