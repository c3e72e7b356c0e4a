import { TWO_PERSON_ACTS } from "../../common/config/mod.ts";
import { makeStopKey } from "../../common/keys/mod.ts";
import { APPROVAL_MS } from "../../hive/operators/mod.ts";
import { AGENT_ID } from "../../hive/api/_test_support.ts";
import { byHolders, RULES, STOP } from "../support/orders.ts";
import { againstOrders, type Asked, type OrdersTarget } from "./_orders.ts";
import { type Attack, attackTable, told } from "./table.ts";

/** A hive on which every such act takes two people, and three who may approve. */
interface Target extends OrdersTarget {
  readonly ada: string;
  readonly bob: string;
  readonly eve: string;
  /** Asks for something; gives the request. */
  request(path: string, asked: Asked): Promise<string>;
  /** What came of an approval: the request's state, or what the attacker is told. */
  approve(id: string, token: string): Promise<string>;
}

function against(attack: (target: Target) => Promise<void>): Promise<void> {
  return againstOrders(async (target) => {
    const { ask, tokenOf } = target;
    const [ada, bob, eve] = [
      await tokenOf("admin", "ada"),
      await tokenOf("admin", "bob"),
      await tokenOf("responder", "eve"),
    ];
    await attack({
      ...target,
      ada,
      bob,
      eve,
      request: async (path, asked) => {
        const answer = await ask(path, { token: ada, ...asked });
        if (answer.status !== 202) throw new Error(await told(answer));
        return (await answer.json()).request;
      },
      approve: async (id, token) => {
        const answer = await ask(`/approvals/${id}/approve`, { method: "POST", token });
        return answer.ok ? (await answer.json()).state : await told(answer);
      },
    });
  }, { twoPerson: TWO_PERSON_ACTS });
}

const ROTATION = { path: "/directive-key/rotate", method: "POST" } as const;

/** What the attacker was told, and whether anything went out nevertheless. */
function unlessSent({ sent }: Target, told: string): string {
  return sent.length === 0 ? told : `${sent.join()} went out`;
}

async function setStopKey({ commands, stop, sent }: Target): Promise<void> {
  await commands.setStopKey(stop.facts, { signature: null, by: "a test" });
  sent.length = 0;
}

const ROWS: readonly Attack<Target>[] = [
  {
    tries: "the own request approved",
    refused: "403 FORBIDDEN",
    attempt: async (target) => {
      const id = await target.request("/directives", { body: RULES });
      return unlessSent(target, await target.approve(id, target.ada));
    },
  },
  {
    tries: "the own request approved by another token of the same person",
    refused: "403 FORBIDDEN",
    attempt: async (target) => {
      const id = await target.request("/directives", { body: RULES });
      return unlessSent(target, await target.approve(id, await target.tokenOf("admin", "ada")));
    },
  },
  {
    tries: "a request approved by the operator token, behind which nobody stands",
    refused: "403 FORBIDDEN",
    attempt: async (target) => {
      const id = await target.request("/directives", { body: RULES });
      const answer = await target.ask(`/approvals/${id}/approve`, { method: "POST" });
      return unlessSent(target, await told(answer));
    },
  },
  {
    tries: "a request of the operator token, for which one other person is too few",
    refused: "open",
    attempt: async (target) => {
      const answer = await target.ask("/directives", { body: RULES });
      const { request } = await answer.json();
      return unlessSent(target, await target.approve(request, target.bob));
    },
  },
  {
    tries: "an admin's request approved by a responder",
    refused: "403 FORBIDDEN",
    attempt: async (target) => {
      const id = await target.request(ROTATION.path, ROTATION);
      return unlessSent(target, await target.approve(id, target.eve));
    },
  },
  {
    tries: "an admin's request approved by a responder's token of another admin",
    refused: "403 FORBIDDEN",
    attempt: async (target) => {
      const id = await target.request(ROTATION.path, ROTATION);
      await target.tokenOf("responder", "bob");
      return unlessSent(target, await target.approve(id, target.bob));
    },
  },
  {
    tries: "an approval replayed",
    refused: "409 CONFLICT, sent once",
    attempt: async ({ request, approve, sent, bob, eve }) => {
      const id = await request("/directives", { body: RULES });
      await approve(id, bob);
      const answers = [await approve(id, bob), await approve(id, eve)];
      return `${new Set(answers).values().toArray().join()}, sent ${
        sent.length === 1 ? "once" : "twice"
      }`;
    },
  },
  {
    tries: "two approvals at the same instant",
    refused: "sent once",
    attempt: async ({ request, approve, sent, bob, eve }) => {
      const id = await request("/directives", { body: RULES });
      await Promise.all([approve(id, bob), approve(id, eve), approve(id, bob)]);
      return `sent ${sent.length === 1 ? "once" : sent.length}`;
    },
  },
  {
    tries: "an approval of what was denied",
    refused: "409 CONFLICT",
    attempt: async (target) => {
      const id = await target.request("/directives", { body: RULES });
      await target.ask(`/approvals/${id}/deny`, { method: "POST", token: target.eve });
      return unlessSent(target, await target.approve(id, target.bob));
    },
  },
  {
    tries: "an approval when the time is over",
    refused: "409 CONFLICT",
    attempt: async (target) => {
      const id = await target.request("/directives", { body: RULES });
      target.clock.advance(APPROVAL_MS);
      return unlessSent(target, await target.approve(id, target.bob));
    },
  },
  {
    tries: "an approval of rules behind other rules that went out since",
    refused: "failed, sent once",
    attempt: async ({ request, approve, sent, bob, eve }) => {
      const old = await request("/directives", { body: RULES });
      await approve(await request("/directives", { body: RULES, token: bob }), eve);
      return `${await approve(old, bob)}, sent ${sent.length === 1 ? "once" : sent.length}`;
    },
  },
  {
    tries: "an approval of a revocation of somebody who is revoked already",
    refused: "failed",
    attempt: async ({ request, approve, store, bob }) => {
      const id = await request("/agents/revoke", { body: { agents: [AGENT_ID] } });
      await store.revokeAgents([AGENT_ID]);
      return await approve(id, bob);
    },
  },
  {
    tries: "an approval of a rotation of an authority that is no longer in force",
    refused: "failed",
    attempt: async ({ request, approve, bob }) => {
      const body = { what: "authority", overlapDays: 0 };
      const [first, second] = [
        await request("/ca/rotate", { body }),
        await request("/ca/rotate", { body }),
      ];
      await approve(first, bob);
      return await approve(second, bob);
    },
  },
  {
    tries: "a request whose asker was shut out since",
    refused: "failed",
    attempt: async (target) => {
      const id = await target.request("/directives", { body: RULES });
      const { accounts } = target.operators;
      const ada = await accounts.known("ada");
      await accounts.change(ada.id, (account) => ({ ...account, disabled: true }));
      return unlessSent(target, await target.approve(id, target.bob));
    },
  },
  {
    tries: "a request whose asker has a small role since",
    refused: "failed",
    attempt: async (target) => {
      const id = await target.request("/directives", { body: RULES });
      await target.tokenOf("analyst", "ada");
      return unlessSent(target, await target.approve(id, target.bob));
    },
  },
  {
    tries: "a revocation by one person, as a place on the blacklist",
    refused: "202, not revoked",
    attempt: async ({ ask, store, ada }) => {
      const path = `/herd/agents/${AGENT_ID}/blacklist`;
      const { status } = await ask(path, { method: "POST", token: ada });
      const [agent] = await store.agents();
      return `${status}, ${agent?.revoked ? "revoked" : "not revoked"}`;
    },
  },
  {
    tries: "a stop that nobody signed, put up for approval",
    refused: "400 DIRECTIVE_INVALID",
    attempt: async (target) => {
      await setStopKey(target);
      const directive = Uint8Array.fromBase64(await byHolders(target, STOP));
      directive.fill(0, -64);
      const body = { directive: directive.toBase64() };
      return await told(await target.ask("/kill-switch/stops", { body, token: target.ada }));
    },
  },
  {
    tries: "a stop that holders signed, without a second person at the hive",
    refused: "202",
    attempt: async (target) => {
      await setStopKey(target);
      const body = { directive: await byHolders(target, STOP) };
      const answer = await target.ask("/kill-switch/stops", { body, token: target.ada });
      return unlessSent(target, String(answer.status));
    },
  },
  {
    tries: "an approval of a stop that is over",
    refused: "409 CONFLICT",
    attempt: async (target) => {
      await setStopKey(target);
      const body = { directive: await byHolders(target, STOP) };
      const id = await target.request("/kill-switch/stops", { body });
      target.clock.advance(60_000);
      return unlessSent(target, await target.approve(id, target.bob));
    },
  },
  {
    tries: "an approval of a stop key when another one came first",
    refused: "failed, the first stays",
    attempt: async ({ request, approve, commands, stop, bob }) => {
      const { facts } = await makeStopKey();
      const mine = await request("/kill-switch", {
        method: "PUT",
        body: { facts, signature: null },
      });
      await commands.setStopKey(stop.facts, { signature: null, by: "a test" });
      const heard = await approve(mine, bob);
      const stays = (await commands.stopKey())?.publicKey === stop.facts.publicKey;
      return `${heard}, the first ${stays ? "stays" : "is gone"}`;
    },
  },
  {
    tries: "an order that does not hold, put up for approval",
    refused: "404 NOT_FOUND",
    attempt: async ({ ask, ada }) => {
      const body = { order: { kind: "rules", body: { pack: "0".repeat(64) } } };
      return await told(await ask("/directives", { body, token: ada }));
    },
  },
  {
    tries: "a revocation of an agent that there is not, put up for approval",
    refused: "404 NOT_FOUND, 404 NOT_FOUND",
    attempt: async ({ ask, ada: token }) => {
      const stranger = crypto.randomUUID();
      const agents = [AGENT_ID, stranger];
      return [
        await told(await ask("/agents/revoke", { body: { agents }, token })),
        await told(await ask(`/herd/agents/${stranger}/blacklist`, { method: "POST", token })),
      ].join(", ");
    },
  },
  {
    tries: "an account shut by the way, in a request for another role",
    refused: "400 INPUT_MALFORMED, nothing is asked for, open",
    attempt: async ({ ask, ada: token, operators: { accounts, approvals } }) => {
      const { id } = await accounts.known("eve");
      const body = { role: "viewer", disabled: true };
      const answer = await told(await ask(`/users/${id}`, { method: "PATCH", body, token }));
      const asked = (await approvals.list()).length === 0 ? "nothing is asked for" : "asked";
      return `${answer}, ${asked}, ${(await accounts.known(id)).disabled ? "shut" : "open"}`;
    },
  },
  {
    tries: "an account called like another's id, for what is approved of that one",
    refused: "400 INPUT_MALFORMED, eve is viewer, the other responder",
    attempt: async ({ ask, ada, bob, store, request, approve, operators: { accounts } }) => {
      const { id } = await accounts.known("eve");
      const json = { name: id, role: "responder" };
      const answer = await told(await ask("/users", { body: json, token: ada }));
      // One of a time when such names were taken.
      const other = { ...await accounts.known("eve"), id: crypto.randomUUID(), name: id };
      const body = JSON.stringify(other);
      await store.putDocument({ kind: "account", id: other.id, key: id, version: 1, body });
      const role = { role: "viewer" };
      await approve(
        await request(`/users/${id}`, { method: "PATCH", body: role, token: ada }),
        bob,
      );
      const [eve, stranger] = [await accounts.get(id), await accounts.get(other.id)];
      return `${answer}, eve is ${eve?.role}, the other ${stranger?.role}`;
    },
  },
  {
    tries: "a request of somebody who may not do it anyway",
    refused: "403 FORBIDDEN",
    attempt: async ({ ask, eve }) =>
      await told(await ask(ROTATION.path, { ...ROTATION, token: eve })),
  },
];

attackTable<Target>({ subject: "what takes two people", against }, ROWS);
