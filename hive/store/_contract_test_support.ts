import { assert, assertEquals, assertRejects } from "@std/assert";
import { type ErrorCode, ImmuneError } from "../../common/config/errors.ts";
import { encodeRecord, KINDS } from "../../common/record/mod.ts";
import { decodeBatch, encodeHealth, LOSS_CAUSES } from "../../common/wire/mod.ts";
import {
  alertRecord,
  enrolled,
  fork,
  loss,
  SAMPLE_STEP_MS,
  SAMPLE_TIME_MS,
  sampleAlert,
  sampleBatch,
} from "./_batches_test_support.ts";
import { DETECTION } from "./_detection_test_support.ts";
import { DIRECTIVES } from "./_directives_test_support.ts";
import { DOCUMENTS } from "./_documents_test_support.ts";
import { CERTIFICATES } from "./_certificates_test_support.ts";
import { HERD } from "./_herd_test_support.ts";
import { checkPositions } from "./_positions_test_support.ts";
import type { Alert } from "../../common/wire/mod.ts";
import {
  type AgentLedger,
  type AlertQuery,
  ALERTS_PER_PAGE_MAX,
  BLOCKS_PER_ANSWER_MAX,
  type Store,
  type Stored,
  type TokenUse,
} from "./store.ts";

/** An implementation under test. */
export interface StoreUnderTest {
  /** Its name, with which the names of its tests start. */
  readonly name: string;
  /** Gives an empty store and takes it away again. */
  readonly withStore: (test: (store: Store) => Promise<void>) => Promise<void>;
}

type Case = readonly [name: string, test: (store: Store) => Promise<void>];

/**
 * Defines the tests that every store must pass.
 *
 * @param subject The implementation.
 */
export function testStoreContract({ name, withStore }: StoreUnderTest): void {
  const all = [
    APPENDS,
    REFUSALS,
    LEDGERS,
    FLEET,
    CERTIFICATES,
    READS,
    DOCUMENTS,
    DIRECTIVES,
    HERD,
    DETECTION,
  ].flat();
  for (const [behaviour, test] of all) {
    Deno.test(`${name}.${behaviour}`, () => withStore(test));
  }
}

function stored(position: number, count: number): Stored {
  return { outcome: "stored", position, stored: count };
}

async function fails(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  const error = await assertRejects(() => work, ImmuneError);
  assertEquals(error.code, code);
}

async function ledgerOf(store: Store, agentId: string): Promise<AgentLedger> {
  const found = (await store.ledgers()).find((ledger) => ledger.agentId === agentId);
  assert(found !== undefined, "the agent has a ledger");
  return found;
}

const LSM = {
  tier: "lsm",
  judged: 10,
  refused: 1,
  monitored: 2,
  capped: 3,
  failed: 4,
} as const;
const NO_SENSOR = { tallies: [], places: [], missed: [], detached: [], tiers: [] };
const TALLY = {
  seen: 21,
  submitted: 1,
  filtered: 2,
  folded: 3,
  ringFull: 4,
  oversized: 5,
  unreadable: 6,
};
/** What comes of it when it is told twice. */
const DOUBLED = {
  submitted: 2,
  filtered: 4,
  folded: 6,
  ringFull: 8,
  oversized: 10,
  unreadable: 12,
};

const APPENDS: readonly Case[] = [
  ["append() stores a batch and gives it back bit for bit", async (store) => {
    const { id, hostId } = await enrolled(store);
    const bytes = sampleBatch({ first: 1, records: 5, hostId });
    const copy = bytes.slice();
    assertEquals(await store.append({ agentId: id, bytes }), stored(5, 5));
    const [block, ...others] = await store.blocks({ limit: 10 });
    assertEquals([block?.agentId, block?.from, others.length], [id, 1, 0]);
    assertEquals(block?.bytes, copy);
    assertEquals(await ledgerOf(store, id), {
      agentId: id,
      position: 5,
      stored: 5,
      losses: [],
      sensor: NO_SENSOR,
    });
  }],
  ["append() stores a repeated batch once, whenever it comes again", async (store) => {
    const { id, hostId } = await enrolled(store);
    const record = alertRecord(sampleAlert(1, { hostId }));
    const losses = [loss("ring_full", { count: 4 })];
    const again = (): Promise<Stored> =>
      store.append({
        agentId: id,
        bytes: sampleBatch({ first: 1, records: [fork(1), record], losses, hostId }),
      });
    assertEquals(await again(), stored(2, 2));
    assertEquals(await again(), stored(2, 0));
    const next = sampleBatch({ first: 3, records: 7, hostId });
    assertEquals(await store.append({ agentId: id, bytes: next }), stored(9, 7));
    assertEquals(await again(), stored(9, 0));
    assertEquals((await store.blocks({ limit: 10 })).length, 2);
    const { stored: records, losses: lost } = await ledgerOf(store, id);
    assertEquals([records, lost.map(({ count }) => count)], [9, [4]]);
    assertEquals((await store.stats()).turnedAway.repeated, 4);
  }],
  ["append() of one batch many times at once stores it once", async (store) => {
    const { id, hostId } = await enrolled(store);
    const outcomes = await Promise.all(
      Array.from(
        { length: 20 },
        () => store.append({ agentId: id, bytes: sampleBatch({ first: 1, records: 3, hostId }) }),
      ),
    );
    const counts = outcomes.map((each) => each.outcome === "stored" ? each.stored : NaN);
    assertEquals(counts.toSorted(), [...Array(19).fill(0), 3]);
    assertEquals((await store.blocks({ limit: 10 })).length, 1);
  }],
  ["append() takes of an overlapping batch what lies above", async (store) => {
    const { id, hostId } = await enrolled(store);
    await store.append({ agentId: id, bytes: sampleBatch({ first: 1, records: 5, hostId }) });
    const alert = (number: number): Uint8Array => alertRecord(sampleAlert(number, { hostId }));
    const records = [fork(3), alert(4), fork(5), fork(6), alert(7), fork(8)];
    const losses = [loss("ring_full", { count: 9 })];
    const bytes = sampleBatch({ first: 3, records, losses, hostId });
    assertEquals(await store.append({ agentId: id, bytes }), stored(8, 3));
    const [block] = await store.blocks({ limit: 1 });
    assertEquals(block?.from, 6);
    const { alerts } = await store.alerts({ limit: 10 });
    assertEquals(alerts.map((each) => each.id), [sampleAlert(7, { hostId }).id]);
    // Its ledger belongs to position 3, which an earlier batch held.
    assertEquals(await ledgerOf(store, id), {
      agentId: id,
      position: 8,
      stored: 8,
      losses: [],
      sensor: NO_SENSOR,
    });
  }],
  ["append() counts positions by journal and agent", async (store) => {
    const [one, two] = [await enrolled(store), await enrolled(store)];
    const put = (
      { id, hostId }: typeof one,
      { first, records, journal }: { first: number; records: number; journal: string },
    ): Promise<Stored> =>
      store.append({
        agentId: id,
        bytes: sampleBatch({ first, records, hostId, journalId: journal.repeat(32) }),
      });
    assertEquals(await put(one, { first: 1, records: 5, journal: "a" }), stored(5, 5));
    assertEquals(await put(one, { first: 1, records: 2, journal: "b" }), stored(2, 2));
    assertEquals(await put(two, { first: 1, records: 3, journal: "a" }), stored(3, 3));
    assertEquals(await put(one, { first: 6, records: 1, journal: "a" }), stored(6, 1));
    const ledgers = await store.ledgers();
    assertEquals(ledgers.map((each) => [each.agentId, each.position, each.stored]), [
      [one.id, 2, 8],
      [two.id, 3, 3],
    ]);
  }],
  ["append() of many at once keeps their order", async (store) => {
    const { id, hostId } = await enrolled(store);
    const outcomes = await Promise.all(
      Array.from(
        { length: 50 },
        (_, i) =>
          store.append({
            agentId: id,
            bytes: sampleBatch({ first: 1 + i * 2, records: 2, hostId }),
          }),
      ),
    );
    assertEquals(outcomes, Array.from({ length: 50 }, (_, i) => stored(2 + i * 2, 2)));
  }],
  ["append() stores and passes over each position once, in random orders", checkPositions],
];

const REFUSALS: readonly Case[] = [
  ["append() refuses a gap that the ledger does not name, and stores nothing", async (store) => {
    const { id, hostId } = await enrolled(store);
    const put = (first: number, losses = [loss("ring_full", { count: 100 })]): Promise<Stored> =>
      store.append({ agentId: id, bytes: sampleBatch({ first, records: 2, losses, hostId }) });
    assertEquals(await put(2), { outcome: "gap", expected: 1 });
    assertEquals(await store.ledgers(), [{
      agentId: id,
      position: 0,
      stored: 0,
      losses: [],
      sensor: NO_SENSOR,
    }]);
    assertEquals(await put(1, []), stored(2, 2));
    for (const first of [3, 4]) {
      const evicted = loss("journal_evicted", { count: 5, first });
      assertEquals(await put(9, [evicted]), { outcome: "gap", expected: 3 });
    }
    assertEquals(await store.blocks({ limit: 9 }).then((blocks) => blocks.length), 1);
    assertEquals(await ledgerOf(store, id), {
      agentId: id,
      position: 2,
      stored: 2,
      losses: [],
      sensor: NO_SENSOR,
    });
    assertEquals((await store.stats()).turnedAway.gaps, 3);
    assertEquals(await put(3, []), stored(4, 2));
  }],
  ["append() refuses what is no batch, and stores what came with it", async (store) => {
    const { id, hostId } = await enrolled(store);
    const good = sampleBatch({ first: 1, records: 2, hostId });
    const flipped = good.slice();
    flipped[good.length - 1] = 0xFF;
    const slotless = fork(3);
    // A slot that reaches past the record's end, in a batch whose own lengths hold.
    const broken = alertRecord("{}");
    new DataView(broken.buffer).setUint16(broken.length - 16 + 2, 0xFFF0, true);
    const bad: [Uint8Array<ArrayBuffer>, ErrorCode][] = [
      [flipped, "BATCH_MALFORMED"],
      [good.slice(0, good.length - 8), "BATCH_MALFORMED"],
      [new Uint8Array(0), "BATCH_MALFORMED"],
      [crypto.getRandomValues(new Uint8Array(500)), "BATCH_MALFORMED"],
      [sampleBatch({ first: 1, records: [slotless, broken], hostId }), "RECORD_MALFORMED"],
    ];
    const outcomes = Promise.all(
      bad.map(([bytes, code]) => fails(store.append({ agentId: id, bytes }), code)),
    );
    assertEquals(await store.append({ agentId: id, bytes: good }), stored(2, 2));
    await outcomes;
    assertEquals((await store.blocks({ limit: 10 })).length, 1);
  }],
  ["append() refuses a batch of another host, of no agent, of a revoked one", async (store) => {
    const [one, two] = [await enrolled(store), await enrolled(store)];
    const bytes = (): Uint8Array<ArrayBuffer> =>
      sampleBatch({ first: 1, records: 1, hostId: one.hostId });
    await fails(store.append({ agentId: two.id, bytes: bytes() }), "AGENT_MISMATCH");
    await fails(store.append({ agentId: "nobody", bytes: bytes() }), "AGENT_MISMATCH");
    await store.revokeAgent(one.id);
    await fails(store.append({ agentId: one.id, bytes: bytes() }), "CERTIFICATE_REFUSED");
    assertEquals(await store.blocks({ limit: 10 }), []);
  }],
  ["append() stores a block and turns away what is no alert of its host", async (store) => {
    const { id, hostId } = await enrolled(store);
    const good = sampleAlert(1, { hostId });
    const records = [
      alertRecord("{"),
      alertRecord("null"),
      alertRecord({ ...good, id: "short" }),
      alertRecord({ ...good, time: "yesterday" }),
      alertRecord(sampleAlert(2, { hostId: "0".repeat(64) })),
      alertRecord(good),
    ];
    const bytes = sampleBatch({ first: 1, records, hostId });
    assertEquals(await store.append({ agentId: id, bytes }), stored(6, 6));
    assertEquals((await store.alerts({ limit: 10 })).alerts, [good]);
    assertEquals((await store.stats()).turnedAway.alerts, 5);
  }],
];

const LEDGERS: readonly Case[] = [
  ["append() counts a gap's positions once, by the cause that names them", async (store) => {
    const { id, hostId } = await enrolled(store);
    const put = (first: number, losses: ReturnType<typeof loss>[]): Promise<Stored> =>
      store.append({ agentId: id, bytes: sampleBatch({ first, records: 2, losses, hostId }) });
    await put(1, []);
    // 1 and 2 are stored, but their answer was lost.
    const evicted = loss("journal_evicted", { count: 4, first: 1 });
    const unwritable = loss("journal_unwritable", { count: 3, first: 5 });
    assertEquals(await put(8, [unwritable, evicted]), stored(9, 2));
    assertEquals(
      await put(10, [evicted, unwritable, loss("ring_full", { count: 7 })]),
      stored(11, 2),
    );
    const { losses, stored: records, position } = await ledgerOf(store, id);
    const byCause = Object.fromEntries(losses.map(({ cause, count }) => [cause, count]));
    assertEquals(byCause, {
      [LOSS_CAUSES.journal_evicted]: 2,
      [LOSS_CAUSES.journal_unwritable]: 3,
      [LOSS_CAUSES.ring_full]: 7,
    });
    assertEquals(position, records + 2 + 3);
    assertEquals((await store.stats()).lossesByCause, {
      journal_evicted: 2,
      journal_unwritable: 3,
      ring_full: 7,
    });
  }],
  ["append() lets losses without a place account for a gap, no further than it", async (store) => {
    const { id, hostId } = await enrolled(store);
    const put = (count: number): Promise<Stored> =>
      store.append({
        agentId: id,
        bytes: sampleBatch({
          first: 11,
          records: 1,
          losses: [
            loss("journal_evicted", { count: 4, first: 1 }),
            loss("journal_corrupt", { count }),
          ],
          hostId,
        }),
      });
    assertEquals(await put(5), { outcome: "gap", expected: 1 });
    assertEquals(await put(60), stored(11, 1));
    const { losses } = await ledgerOf(store, id);
    assertEquals(losses.map(({ count }) => count), [4, 6]);
  }],
  ["ledgers() keeps exact losses apart from those that are at least so many", async (store) => {
    const { id, hostId } = await enrolled(store);
    const exact = loss("watch_overflow", { count: 2 });
    const losses = [exact, { ...exact, certain: false, count: 1 }, { ...exact, cause: 999 }];
    const bytes = sampleBatch({ first: 1, records: 1, losses, hostId });
    await store.append({ agentId: id, bytes });
    const { watch_overflow: cause } = LOSS_CAUSES;
    assertEquals((await ledgerOf(store, id)).losses.toSorted((a, b) => a.count - b.count), [
      { cause, count: 1, certain: false },
      { cause, count: 2, certain: true },
      { cause: 999, count: 2, certain: true },
    ]);
    assertEquals((await store.stats()).lossesByCause, { watch_overflow: 3, cause_999: 2 });
  }],
  ["stats() can still be read when an agent names absurd losses", async (store) => {
    const { id, hostId } = await enrolled(store);
    for (const first of [1, 2, 3]) {
      const losses = [loss("ring_full", { count: Number.MAX_SAFE_INTEGER })];
      await store.append({
        agentId: id,
        bytes: sampleBatch({ first, records: 1, losses, hostId }),
      });
    }
    assertEquals((await store.stats()).lossesByCause["ring_full"], Number.MAX_SAFE_INTEGER);
    assertEquals((await ledgerOf(store, id)).stored, 3);
  }],
];

function use(given: Partial<TokenUse> = {}): TokenUse {
  return { nowMs: Date.now(), hostId: "0".repeat(64), hostName: "gpu-1", ...given };
}

const FLEET: readonly Case[] = [
  ["useToken() is true once, of many at once", async (store) => {
    const secretHash = "a".repeat(64);
    await store.addToken({ secretHash, expiresMs: Date.now() + 60_000 });
    const uses = await Promise.all(
      Array.from({ length: 10 }, () => store.useToken(secretHash, use())),
    );
    assertEquals(uses.filter((used) => used !== undefined), [{ tags: [], approval: false }]);
    assertEquals(await store.useToken(secretHash, use()), undefined);
  }],
  ["useToken() gives each use of many once, with what the token grants", async (store) => {
    const secretHash = "e".repeat(64);
    const granted = { tags: ["gpu", "lab"], approval: true };
    await store.addToken({ secretHash, expiresMs: Date.now() + 60_000, uses: 3, ...granted });
    const uses = await Promise.all(
      Array.from({ length: 10 }, () => store.useToken(secretHash, use())),
    );
    assertEquals(uses.filter((used) => used !== undefined), [granted, granted, granted]);
  }],
  ["useToken() leaves a token alone that is another host's", async (store) => {
    const expiresMs = Date.now() + 60_000;
    const hostId = "1".repeat(64);
    await store.addToken({ secretHash: "1".repeat(64), expiresMs, hostId });
    await store.addToken({ secretHash: "2".repeat(64), expiresMs, hostName: "gpu-2" });
    assertEquals(await store.useToken("1".repeat(64), use()), undefined);
    assertEquals(await store.useToken("2".repeat(64), use()), undefined);
    assert(await store.useToken("1".repeat(64), use({ hostId })) !== undefined);
    assert(await store.useToken("2".repeat(64), use({ hostName: "gpu-2" })) !== undefined);
  }],
  ["removeToken() makes a token worthless", async (store) => {
    await store.addToken({ secretHash: "3".repeat(64), expiresMs: Date.now() + 60_000, uses: 5 });
    assertEquals(await store.removeToken("3".repeat(64)), true);
    assertEquals(await store.removeToken("3".repeat(64)), false);
    assertEquals(await store.useToken("3".repeat(64), use()), undefined);
  }],
  ["useToken() gives nothing for one that is unknown or expired", async (store) => {
    const expiresMs = Date.now() + 60_000;
    await store.addToken({ secretHash: "b".repeat(64), expiresMs });
    assertEquals(await store.useToken("c".repeat(64), use()), undefined);
    assertEquals(await store.useToken("b".repeat(64), use({ nowMs: expiresMs + 1 })), undefined);
    assert(await store.useToken("b".repeat(64), use({ nowMs: expiresMs })) !== undefined);
  }],
  ["addToken() refuses one that is there", async (store) => {
    const token = { secretHash: "d".repeat(64), expiresMs: Date.now() + 60_000 };
    await store.addToken(token);
    await fails(store.addToken(token), "STORE_FAILED");
  }],
  ["addAgent() makes an agent known by its certificate", async (store) => {
    const before = Date.now();
    const { fingerprint, ...agent } = await enrolled(store);
    const { id: agentId, hostId } = agent;
    assertEquals(await store.certificate(fingerprint), {
      fingerprint,
      agentId,
      hostId,
      revoked: false,
      unused: false,
    });
    assertEquals(await store.certificate("0".repeat(64)), undefined);
    const [row] = await store.agents();
    assertEquals(row, {
      ...agent,
      enrolledAt: row?.enrolledAt ?? "",
      lastSeenAt: null,
      revoked: false,
      rules: null,
      ruleSet: null,
      tags: [],
    });
    assert(Date.parse(row?.enrolledAt ?? "") >= before);
    await store.append({ agentId, bytes: sampleBatch({ first: 1, records: 1, hostId }) });
    assert(Date.parse((await store.agents())[0]?.lastSeenAt ?? "") >= before);
  }],
  ["append() keeps an agent's rules and adds up its scans, and takes them for no events", async (
    store,
  ) => {
    const { id: agentId, hostId } = await enrolled(store);
    const ruleSet = "0f".repeat(32);
    const health = (rules: number): Uint8Array =>
      encodeHealth({
        rules,
        ruleSet,
        records: 5,
        alerts: 1,
        masked: 0,
        scanTimeNs: 2000,
        scans: [3, 0, 1],
        tallies: [
          { ...TALLY, kind: KINDS.open.id },
          { ...TALLY, kind: 65_000, seen: 1 },
        ],
        missed: [{ program: "on_exec", count: 3 }],
        places: [
          { ...TALLY, kind: KINDS.open.id, source: 0x4003 },
          { ...TALLY, kind: 0, source: 0 },
          { ...TALLY, kind: 65_000, source: 0x4003 },
        ],
        detached: [{ program: "on_exit", count: 1 }],
        // Of the second no more is heard: it is not in force any more.
        tiers: rules === 7 ? [LSM, { ...LSM, tier: "signal" }] : [LSM],
      }, {});
    const put = (first: number, records: readonly Uint8Array[]): Promise<Stored> =>
      store.append({ agentId, bytes: sampleBatch({ first, records, hostId }) });
    await put(1, [health(7), fork(1)]);
    const bytes = sampleBatch({ first: 3, records: [health(8)], hostId });
    await store.append({ agentId, bytes: bytes.slice() });
    await store.append({ agentId, bytes });
    const [agent] = await store.agents();
    assertEquals([agent?.rules, agent?.ruleSet], [8, ruleSet]);
    const { events, records, scans } = await store.stats();
    assertEquals([events, records, scans.timeNs], [1, 3, 4000]);
    assertEquals(scans.scans.slice(0, 4), [6, 0, 2, 0]);
    const [ledger] = await store.ledgers();
    assertEquals(ledger?.sensor, {
      tallies: [
        { kind: 0, seen: 2, ...DOUBLED },
        { kind: KINDS.open.id, seen: 42, ...DOUBLED },
      ],
      places: [
        { kind: 0, source: 0, seen: 42, ...DOUBLED },
        { kind: KINDS.open.id, source: 0x4003, seen: 42, ...DOUBLED },
      ],
      missed: [{ program: "on_exec", count: 6 }],
      detached: [{ program: "on_exit", count: 2 }],
      tiers: [
        { tier: "lsm", inForce: true, judged: 20, refused: 2, monitored: 4, capped: 6, failed: 8 },
        { ...LSM, tier: "signal", inForce: false },
      ],
    });
  }],
  ["append() takes a health record with figures that none has for any record", async (store) => {
    const { id: agentId, hostId } = await enrolled(store);
    const damaged = encodeRecord("health", { body: { rules: 9 }, slots: { rule_set: "no hash" } });
    const bytes = sampleBatch({ first: 1, records: [damaged], hostId });
    assertEquals((await store.append({ agentId, bytes })).outcome, "stored");
    assertEquals((await store.agents())[0]?.rules, null);
  }],
  ["addAgent() refuses an agent or certificate that is there, and adds nothing", async (store) => {
    const { fingerprint, ...agent } = await enrolled(store);
    await fails(store.addAgent(agent, "1".repeat(64)), "STORE_FAILED");
    await fails(store.addAgent({ ...agent, id: crypto.randomUUID() }, fingerprint), "STORE_FAILED");
    assertEquals((await store.agents()).length, 1);
    assertEquals(await store.certificate("1".repeat(64)), undefined);
  }],
  ["revokeAgents() revokes those that there are, and says which", async (store) => {
    const [one, two, three] = [await enrolled(store), await enrolled(store), await enrolled(store)];
    assertEquals(await store.revokeAgents([]), []);
    assertEquals(await store.revokeAgents([one.id, "nobody", three.id]), [one.id, three.id]);
    assertEquals((await store.certificate(three.fingerprint))?.revoked, true);
    assertEquals((await store.certificate(two.fingerprint))?.revoked, false);
    assertEquals((await store.agents()).map(({ revoked }) => revoked), [true, false, true]);
  }],
  ["revokeAgent() revokes that agent and its certificates", async (store) => {
    const [one, two] = [await enrolled(store), await enrolled(store)];
    assertEquals(await store.revokeAgent("nobody"), false);
    assertEquals(await store.revokeAgent(one.id), true);
    assertEquals((await store.certificate(one.fingerprint))?.revoked, true);
    assertEquals((await store.certificate(two.fingerprint))?.revoked, false);
    assertEquals((await store.agents()).map(({ revoked }) => revoked), [true, false]);
    assertEquals(await store.revokeAgent(one.id), true);
  }],
];

/** Appends alerts, a batch of all; gives the agent. */
async function withAlerts(store: Store, alerts: (hostId: string) => readonly Alert[]): Promise<{
  readonly id: string;
  readonly hostId: string;
}> {
  const agent = await enrolled(store);
  const records = alerts(agent.hostId).map(alertRecord);
  const bytes = sampleBatch({ first: 1, records, hostId: agent.hostId });
  await store.append({ agentId: agent.id, bytes });
  return agent;
}

async function allPages(store: Store, query: AlertQuery): Promise<string[]> {
  const found: string[] = [];
  let next: string | null | undefined;
  while (next !== null) {
    const page = await store.alerts(next === undefined ? query : { ...query, before: next });
    assert(page.alerts.length <= query.limit);
    assert(page.next === null || page.alerts.length === query.limit, "only the last is short");
    found.push(...page.alerts.map(({ id }) => id));
    next = page.next;
  }
  return found;
}

const READS: readonly Case[] = [
  ["alerts() pages through all, newest first, each once", async (store) => {
    // Many share a time, so that a page ends among them.
    const time = (number: number): string =>
      new Date(SAMPLE_TIME_MS + Math.floor(number / 9)).toISOString();
    const { hostId } = await withAlerts(
      store,
      (hostId) => Array.from({ length: 40 }, (_, i) => sampleAlert(i, { hostId, time: time(i) })),
    );
    const newestFirst = Array.from({ length: 40 }, (_, i) => sampleAlert(39 - i, { hostId }).id);
    for (const limit of [1, 7, 20, 40, 41]) {
      assertEquals(await allPages(store, { limit }), newestFirst, `pages of ${limit}`);
    }
  }],
  ["alerts() goes on where it was when newer ones come between pages", async (store) => {
    const { id, hostId } = await withAlerts(
      store,
      (hostId) => [1, 2, 3, 4].map((number) => sampleAlert(number, { hostId })),
    );
    const { alerts, next } = await store.alerts({ limit: 2 });
    const newer = alertRecord(sampleAlert(99, { hostId }));
    await store.append({ agentId: id, bytes: sampleBatch({ first: 5, records: [newer], hostId }) });
    const rest = await store.alerts({ limit: 2, before: next ?? "" });
    const numbers = [...alerts, ...rest.alerts].map((alert) => parseInt(alert.id, 16));
    assertEquals([numbers, rest.next], [[4, 3, 2, 1], null]);
  }],
  ["alerts() filters by time, severity and host, and pages through that", async (store) => {
    const severity = (number: number): Alert["severity"] => number % 2 === 0 ? "low" : "high";
    const make = (from: number) => (hostId: string): Alert[] =>
      Array.from(
        { length: 10 },
        (_, i) => sampleAlert(from + i, { hostId, severity: severity(i) }),
      );
    const { hostId } = await withAlerts(store, make(0));
    await withAlerts(store, make(10));
    const numbers = async (query: Partial<AlertQuery>): Promise<number[]> =>
      (await allPages(store, { limit: 2, ...query })).map((id) => parseInt(id, 16));
    assertEquals(await numbers({ sinceMs: SAMPLE_TIME_MS + 17 }), [19, 18, 17]);
    assertEquals(await numbers({ severity: "low", hostId }), [8, 6, 4, 2, 0]);
    assertEquals(await numbers({ hostId, sinceMs: SAMPLE_TIME_MS + 7, severity: "high" }), [9, 7]);
    assertEquals(await numbers({ hostId: "none" }), []);
  }],
  ["alerts() refuses a cursor and a limit that are none", async (store) => {
    for (const before of ["", "x", "1", "1_", "1_2_3", "1_2; DROP TABLE alerts", "9".repeat(40)]) {
      await fails(store.alerts({ limit: 1, before }), "INPUT_MALFORMED");
    }
    for (const limit of [0, -1, 1.5, NaN, ALERTS_PER_PAGE_MAX + 1]) {
      await fails(store.alerts({ limit }), "INPUT_MALFORMED");
    }
    assertEquals((await store.alerts({ limit: ALERTS_PER_PAGE_MAX })).alerts, []);
  }],
  ["alert() gives it as it came, known members and others", async (store) => {
    const { hostId } = await withAlerts(
      store,
      (hostId) => [{ ...sampleAlert(1, { hostId }), newer: { thing: "ü" } } as Alert],
    );
    const alert = { ...sampleAlert(1, { hostId }), newer: { thing: "ü" } };
    assertEquals(await store.alert(alert.id) as unknown, alert);
    assertEquals(await store.alert("0".repeat(32)), undefined);
  }],
  ["alert() keeps the first of those with one id, and it counts once", async (store) => {
    const today = new Date().toISOString();
    const { hostId } = await withAlerts(store, (hostId) => [
      sampleAlert(1, { hostId, time: today, severity: "critical" }),
      sampleAlert(1, { hostId, time: today, severity: "low" }),
      sampleAlert(2, { hostId, severity: "low" }),
    ]);
    assertEquals((await store.alert(sampleAlert(1, { hostId }).id))?.severity, "critical");
    const { alertsBySeverity, alertsToday } = await store.stats();
    assertEquals([alertsBySeverity, alertsToday], [{ critical: 1, low: 1 }, 1]);
  }],
  ["blocks() gives them newest first and goes on below one", async (store) => {
    const { id, hostId } = await enrolled(store);
    for (const first of [1, 2, 3, 4, 5]) {
      await store.append({ agentId: id, bytes: sampleBatch({ first, records: 1, hostId }) });
    }
    const first = await store.blocks({ limit: 3 });
    const before = first.at(-1)?.id ?? 0;
    const rest = await store.blocks({ limit: 3, before });
    assertEquals([...first, ...rest].map(({ from }) => from), [5, 4, 3, 2, 1]);
    for (const limit of [0, BLOCKS_PER_ANSWER_MAX + 1]) {
      await fails(store.blocks({ limit }), "INPUT_MALFORMED");
    }
  }],
  ["blocks() filters by agent, time and kinds", async (store) => {
    const [one, two] = [await enrolled(store), await enrolled(store)];
    const late = SAMPLE_TIME_MS + 60_000;
    const put = async (
      { id, hostId }: typeof one,
      sample: { records: number | Uint8Array[]; timeMs: number },
    ): Promise<void> =>
      void await store.append({ agentId: id, bytes: sampleBatch({ first: 1, hostId, ...sample }) });
    await put(one, { records: 4, timeMs: SAMPLE_TIME_MS });
    await put(two, { records: [alertRecord("{}")], timeMs: late });
    const agents = async (query: Partial<Parameters<Store["blocks"]>[0]>): Promise<string[]> =>
      (await store.blocks({ limit: 9, ...query })).map(({ agentId }) => agentId);
    const lastMs = SAMPLE_TIME_MS + 3 * SAMPLE_STEP_MS;
    assertEquals(await agents({ agentId: one.id }), [one.id]);
    assertEquals(await agents({ sinceMs: lastMs }), [two.id, one.id]);
    assertEquals(await agents({ sinceMs: lastMs + 1 }), [two.id]);
    assertEquals(await agents({ untilMs: SAMPLE_TIME_MS }), [one.id]);
    assertEquals(await agents({ untilMs: SAMPLE_TIME_MS - 1 }), []);
    assertEquals(await agents({ kinds: [KINDS.fork.id] }), [one.id]);
    assertEquals(await agents({ kinds: [KINDS.alert.id] }), [two.id]);
    assertEquals(await agents({ kinds: [KINDS.alert.id, KINDS.fork.id] }), [two.id, one.id]);
    assertEquals(await agents({ kinds: [KINDS.connect.id] }), []);
  }],
  ["blocks() gives batches that can be read", async (store) => {
    const { id, hostId } = await enrolled(store);
    await store.append({ agentId: id, bytes: sampleBatch({ first: 1, records: 1000, hostId }) });
    const [block] = await store.blocks({ limit: 1 });
    assert(block !== undefined);
    const { info } = decodeBatch(block.bytes);
    assertEquals([info.recordCount, info.hostId, info.epoch], [1000, hostId, 3]);
  }],
  ["stats() adds up what all agents sent", async (store) => {
    for (const records of [3, 4]) {
      const { id, hostId } = await enrolled(store);
      await store.append({ agentId: id, bytes: sampleBatch({ first: 1, records, hostId }) });
    }
    const { agents, records, alertsToday, alertsBySeverity } = await store.stats();
    assertEquals([agents, records, alertsToday, alertsBySeverity], [2, 7, 0, {}]);
  }],
];
