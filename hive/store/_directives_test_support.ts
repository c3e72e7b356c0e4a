import { assertEquals, assertRejects } from "@std/assert";
import { ImmuneError } from "../../common/config/mod.ts";
import {
  EVERY_HOST,
  REFUSAL_CAUSES,
  type RefusalCause,
  type ResultReport,
} from "../../common/wire/mod.ts";
import {
  type DirectiveFilter,
  type DirectiveRow,
  DIRECTIVES_PER_ANSWER_MAX,
} from "./directive_store.ts";
import type { Store } from "./store.ts";

const HOST = "a5".repeat(32);
const NOTHING = { directive: 0, canary: 0, stop: 0 } as const;

function directive(number: number, change: Partial<DirectiveRow> = {}): DirectiveRow {
  return {
    stream: "directive",
    number,
    kind: "rules",
    target: EVERY_HOST,
    issuedMs: 1000,
    expiresMs: 2000,
    by: "ada",
    bytes: new Uint8Array([number]),
    ...change,
  };
}

function report(change: Partial<ResultReport> = {}): ResultReport {
  const refused = Object.fromEntries(REFUSAL_CAUSES.map((cause) => [cause, 0]));
  return {
    results: [],
    refused: refused as Record<RefusalCause, number>,
    stopped: false,
    canary: "fresh",
    ...change,
  };
}

/** Directives, as every store keeps them. */
export const DIRECTIVES: readonly (readonly [string, (store: Store) => Promise<void>])[] = [
  ["nextDirectiveNumber() counts each stream up", async (store) => {
    const numbers = await Promise.all(
      [0, 1, 2].map(() => store.nextDirectiveNumber("directive")),
    );
    assertEquals(numbers.toSorted(), [1, 2, 3]);
    assertEquals(await store.nextDirectiveNumber("stop"), 1);
  }],
  ["addDirective() refuses a number that is there already", async (store) => {
    await store.addDirective(directive(1));
    await assertRejects(() => store.addDirective(directive(1)), ImmuneError);
    await store.addDirective(directive(1, { stream: "stop", kind: "stop" }));
  }],
  ["directivesFor() gives a host what it has not seen and still holds", async (store) => {
    await store.addDirective(directive(1));
    await store.addDirective(directive(2, { target: HOST }));
    await store.addDirective(directive(3, { target: "b6".repeat(32) }));
    await store.addDirective(directive(4, { expiresMs: 1500 }));
    await store.addDirective(directive(9, { stream: "stop", kind: "stop" }));
    const numbers = async (after: typeof NOTHING | Record<string, number>): Promise<number[]> => {
      const query = { hostId: HOST, after: { ...NOTHING, ...after }, nowMs: 1500 };
      return (await store.directivesFor(query)).map(({ number }) => number);
    };
    assertEquals(await numbers({}), [1, 2, 9]);
    assertEquals(await numbers({ directive: 1 }), [2, 9]);
    assertEquals(await numbers({ directive: 2, stop: 9 }), []);
    const [first] = await store.directivesFor({ hostId: HOST, after: NOTHING, nowMs: 1500 });
    assertEquals(first, directive(1));
  }],
  ["addDirective() has one of antibodies for each target, the last", async (store) => {
    const id = crypto.randomUUID();
    await store.addAgent({ id, hostId: HOST, hostName: "gpu-1" }, "f".repeat(64));
    const kind = "antibodies";
    await store.addDirective(directive(1, { kind }));
    await store.addDirective(directive(2, { kind, target: HOST }));
    const result = { sequence: 1, stream: "directive", number: 1, kind, text: "active" } as const;
    const done = { ...result, outcome: "done", cause: null, timeMs: 1100 } as const;
    await store.addReport(id, report({ results: [done] }));
    await store.addDirective(directive(3, { kind }));
    const kept = [directive(2, { kind, target: HOST }), directive(3, { kind })];
    assertEquals(await store.antibodyDirectives(), kept);
    assertEquals(await store.directiveOutcomes("directive", 1), []);
    const query = { hostId: HOST, after: NOTHING, nowMs: 1500 };
    assertEquals((await store.directivesFor(query)).map(({ number }) => number), [2, 3]);
  }],
  ["addReport() counts a result once, however often it comes", async (store) => {
    const id = crypto.randomUUID();
    await store.addAgent({ id, hostId: HOST, hostName: "gpu-1" }, "f".repeat(64));
    await store.addDirective(directive(1));
    const result = {
      sequence: 1,
      stream: "directive",
      number: 1,
      kind: "rules",
      outcome: "done",
      cause: null,
      text: "rule set active",
      timeMs: 1100,
    } as const;
    const told = report({ results: [result], stopped: true, canary: "warned" });
    await store.addReport(id, told);
    await store.addReport(id, told);
    const [summary] = await store.directives(10);
    assertEquals(summary?.results, { done: 1, failed: 0, refused: 0 });
    const [outcome, ...more] = await store.directiveOutcomes("directive", 1);
    assertEquals([outcome?.agentId, outcome?.text, more], [id, "rule set active", []]);
    const [agent] = await store.agentOrders();
    assertEquals([agent?.stopped, agent?.canary, agent?.revoked], [true, "warned", false]);
    await store.addReport(id, report({ refused: { ...report().refused, replay: 3 } }));
    assertEquals((await store.agentOrders())[0]?.refused.replay, 3);
    // An agent that is not there has nothing to say.
    await store.addReport(crypto.randomUUID(), told);
    assertEquals((await store.agentOrders()).length, 1);
  }],
  ["refusedCertificates() names unknown and revoked ones", async (store) => {
    const [good, revoked, unknown] = ["1", "2", "3"].map((digit) => digit.repeat(64));
    const id = crypto.randomUUID();
    await store.addAgent({ id: crypto.randomUUID(), hostId: HOST, hostName: "a" }, good ?? "");
    await store.addAgent({ id, hostId: "b".repeat(64), hostName: "b" }, revoked ?? "");
    await store.revokeAgent(id);
    const asked = [good, revoked, unknown].map((each) => each ?? "");
    assertEquals(await store.refusedCertificates(asked), asked.slice(1));
  }],
  ["directives() finds those that are asked for, behind however many others", async (store) => {
    await store.addDirective(directive(1, { stream: "stop", kind: "stop" }));
    await store.addDirective(directive(1, { kind: "policy" }));
    for (let number = 2; number < 2 + DIRECTIVES_PER_ANSWER_MAX; number++) {
      await store.addDirective(directive(number));
    }
    const numbers = async (of: DirectiveFilter): Promise<readonly string[]> =>
      (await store.directives(2, of)).map(({ stream, number }) => `${stream} ${number}`);
    assertEquals(await numbers({ stream: "stop" }), ["stop 1"]);
    assertEquals(await numbers({ kind: "policy" }), ["directive 1"]);
    assertEquals(await numbers({ stream: "directive", number: 1 }), ["directive 1"]);
    assertEquals(await numbers({}), ["directive 257", "directive 256"]);
  }],
  ["directives() refuses a limit that is none", async (store) => {
    await assertRejects(() => store.directives(DIRECTIVES_PER_ANSWER_MAX + 1), ImmuneError);
  }],
];
