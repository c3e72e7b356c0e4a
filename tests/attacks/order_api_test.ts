import {
  makeStopKey,
  newSeed,
  signingKey,
  stopKeySuccession,
  withStopKey,
} from "../../common/keys/mod.ts";
import { EVERY_HOST } from "../../common/wire/mod.ts";
import type { Signer } from "../../hive/command/signer.ts";
import { byHolders, FLEET, RULES, signed, STOP } from "../support/orders.ts";
import { againstOrders, type OrdersTarget } from "./_orders.ts";
import { type Attack, attackTable, told } from "./table.ts";

/** Brings a stop to a hive that knows the stop key. */
async function bring(target: OrdersTarget, directive: string): Promise<string> {
  await target.commands.setStopKey(target.stop.facts, { signature: null, by: "a test" });
  const before = target.sent.length;
  const answer = await told(await target.ask("/kill-switch/stops", { body: { directive } }));
  return target.sent.length === before ? answer : "it went out";
}

const ROWS: readonly Attack<OrdersTarget>[] = [
  {
    tries: "an order without credentials",
    // Whoever has none is taken for a browser, and this is no page of the hive.
    refused: "403 FORBIDDEN",
    attempt: async ({ ask }) => await told(await ask("/directives", { body: RULES, token: "" })),
  },
  {
    tries: "an order by a viewer",
    refused: "403 FORBIDDEN",
    attempt: async ({ ask, tokenOf }) =>
      await told(await ask("/directives", { body: RULES, token: await tokenOf("viewer") })),
  },
  {
    tries: "another directive key by a responder",
    refused: "403 FORBIDDEN",
    attempt: async ({ ask, tokenOf }) => {
      const token = await tokenOf("responder");
      return await told(await ask("/directive-key/rotate", { method: "POST", token }));
    },
  },
  {
    tries: "a stop as an order",
    refused: "400 INPUT_MALFORMED",
    attempt: async ({ ask }) => await told(await ask("/directives", { body: { order: STOP } })),
  },
  {
    tries: "other keys as an order",
    refused: "400 INPUT_MALFORMED",
    attempt: async ({ ask }) => {
      const order = { kind: "keys", body: { directive: "0".repeat(64), stop: null } };
      return await told(await ask("/directives", { body: { order } }));
    },
  },
  {
    tries: "an order that holds for a year",
    refused: "400 INPUT_MALFORMED",
    attempt: async ({ ask }) =>
      await told(await ask("/directives", { body: { ...RULES, valid: "365d" } })),
  },
  {
    tries: "an order to a host of nobody",
    refused: "404 NOT_FOUND",
    attempt: async ({ ask }) =>
      await told(await ask("/directives", { body: { ...RULES, host: "0".repeat(64) } })),
  },
  {
    tries: "a pack that is not here",
    refused: "404 NOT_FOUND",
    attempt: async ({ ask }) => {
      const order = { kind: "rules", body: { pack: "0".repeat(64) } };
      return await told(await ask("/directives", { body: { order } }));
    },
  },
  {
    tries: "a pack whose file leads out of its folder",
    refused: "400 INPUT_MALFORMED",
    attempt: async ({ ask }) => {
      const files = [{ name: "../../operator.yml", text: "" }];
      return await told(await ask("/rule-packs", { body: { version: 1, files } }));
    },
  },
  {
    tries: "a pack without an end by somebody who may not send one",
    refused: "401 AUTH_REQUIRED, 403 FORBIDDEN, 0 parts read",
    attempt: async ({ api, tokenOf }) => {
      let read = 0;
      const endless = (): ReadableStream<Uint8Array> =>
        new ReadableStream({
          pull: (stream) => void stream.enqueue(new Uint8Array(65_536).fill(++read)),
        }, { highWaterMark: 0 });
      const send = async (headers: Record<string, string>): Promise<string> => {
        const asked = { method: "POST", headers, body: endless() };
        return await told(await api.request("/api/v1/rule-packs", asked));
      };
      const viewer = { authorization: `Bearer ${await tokenOf("viewer")}` };
      // Of a page of the hive, where nobody has signed in.
      const nobody = await send({ "sec-fetch-site": "same-origin" });
      return `${nobody}, ${await send(viewer)}, ${read} parts read`;
    },
  },
  {
    tries: "a long body where none belongs",
    refused: "400 INPUT_MALFORMED",
    attempt: async ({ ask }) =>
      await told(await ask("/directives", { body: { ...RULES, more: "x".repeat(100_000) } })),
  },
  {
    tries: "a stop that nobody signed",
    refused: "400 DIRECTIVE_INVALID",
    attempt: async (target) => {
      const directive = Uint8Array.fromBase64(await byHolders(target, STOP));
      directive.fill(0, -64);
      return await bring(target, directive.toBase64());
    },
  },
  {
    tries: "a stop signed by a stranger",
    refused: "400 DIRECTIVE_INVALID",
    attempt: async (target) => await bring(target, await signed(await signingKey(newSeed()), STOP)),
  },
  {
    tries: "a stop of another fleet",
    refused: "400 DIRECTIVE_INVALID",
    attempt: async (target) =>
      await bring(target, await byHolders(target, STOP, { fleet: "0e".repeat(16) })),
  },
  {
    tries: "a stop of an hour ago",
    refused: "400 DIRECTIVE_INVALID",
    attempt: async (target) =>
      await bring(target, await byHolders(target, STOP, { ageMs: 3_600_000 })),
  },
  {
    tries: "a stop that went out before",
    refused: "400 DIRECTIVE_INVALID",
    attempt: async (target) => {
      const directive = await byHolders(target, STOP);
      const first = await bring(target, directive);
      if (first !== "it went out") return first;
      return await told(await target.ask("/kill-switch/stops", { body: { directive } }));
    },
  },
  {
    tries: "an order under the stop key",
    refused: "400 DIRECTIVE_INVALID",
    attempt: async (target) =>
      await bring(target, await byHolders(target, { kind: "rules", body: { pack: null } })),
  },
  {
    tries: "a stop before there is a stop key",
    refused: "400 DIRECTIVE_INVALID",
    attempt: async (target) => {
      const directive = await byHolders(target, STOP);
      return await told(await target.ask("/kill-switch/stops", { body: { directive } }));
    },
  },
  {
    tries: "a second stop key in the place of the first",
    refused: "403 FORBIDDEN",
    attempt: async ({ ask, commands, stop }) => {
      await commands.setStopKey(stop.facts, { signature: null, by: "a test" });
      const { facts } = await makeStopKey();
      const body = { facts, signature: null };
      return await told(await ask("/kill-switch", { method: "PUT", body }));
    },
  },
  {
    tries: "a second stop key that signed itself",
    refused: "403 FORBIDDEN",
    attempt: async ({ ask, commands, stop }) => {
      await commands.setStopKey(stop.facts, { signature: null, by: "a test" });
      const { facts, shares } = await makeStopKey();
      const signature = await withStopKey(facts, {
        shares,
        use: (key) => key.sign("stop key successor", stopKeySuccession(FLEET, facts.publicKey)),
      });
      const body = { facts, signature: signature.toHex() };
      return await told(await ask("/kill-switch", { method: "PUT", body }));
    },
  },
  {
    tries: "a stop key of which one share is enough",
    refused: "400 INPUT_MALFORMED",
    attempt: async ({ ask, stop }) => {
      const facts = { ...stop.facts, threshold: 1 };
      return await told(
        await ask("/kill-switch", {
          method: "PUT",
          body: { facts, signature: null },
        }),
      );
    },
  },
  {
    tries: "a stop from the signer",
    refused: "the signer refused",
    attempt: async ({ signer }) => {
      const head = { fleet: FLEET, target: EVERY_HOST, number: 1, issuedMs: 0, expiresMs: 1 };
      const stop = { ...head, ...STOP } as unknown as Parameters<Signer["sign"]>[0];
      return await signer.sign(stop).then(() => "it signed", () => "the signer refused");
    },
  },
  {
    tries: "one number signed twice by the signer",
    refused: "the signer refused",
    attempt: async ({ signer }) => {
      const head = { fleet: FLEET, target: EVERY_HOST, number: 5, issuedMs: 0, expiresMs: 1 };
      const order = { ...head, kind: "rules", body: { pack: null } } as const;
      await signer.sign(order);
      return await signer.sign(order).then(() => "it signed", () => "the signer refused");
    },
  },
];

attackTable<OrdersTarget>({ subject: "orders through the API", against: againstOrders }, ROWS);
