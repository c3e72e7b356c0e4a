import { assert, assertEquals, assertRejects } from "@std/assert";
import { ImmuneError } from "../../common/config/errors.ts";
import type { Alert } from "../../common/wire/mod.ts";
import { alertRecord, enrolled, sampleAlert, sampleBatch } from "./_batches_test_support.ts";
import { ALERTS_PER_PAGE_MAX, type Store } from "./store.ts";

/** An agent whose alerts have the given numbers, in their order. */
async function agentWith(store: Store, numbers: readonly number[]): Promise<{
  readonly id: string;
  readonly hostId: string;
}> {
  const { id, hostId } = await enrolled(store);
  const records = numbers.map((number) => alertRecord(sampleAlert(number, { hostId })));
  await store.append({ agentId: id, bytes: sampleBatch({ first: 1, records, hostId }) });
  return { id, hostId };
}

async function fed(store: Store, after: number, limit = 10): Promise<readonly number[]> {
  return (await store.alertFeed({ after, limit })).map(({ alert }) => parseInt(alert.id, 16));
}

const own = (number: number): Alert => sampleAlert(number, { hostId: "c".repeat(64) });

/** What a store does for the hive's own detection. */
export const DETECTION: readonly (readonly [string, (store: Store) => Promise<void>])[] = [
  ["alertFeed() gives alerts of agents in the order of their coming", async (store) => {
    await agentWith(store, [9, 3]);
    await store.detected({ alerts: [own(100)] });
    await agentWith(store, [7]);
    assertEquals(await fed(store, 0), [9, 3, 7]);
    const [first] = await store.alertFeed({ after: 0, limit: 1 });
    assertEquals(await fed(store, first?.number ?? 0), [3, 7]);
    const last = (await store.alertFeed({ after: 0, limit: 10 })).at(-1);
    assertEquals(await fed(store, last?.number ?? 0), []);
    for (const limit of [0, ALERTS_PER_PAGE_MAX + 1]) {
      const error = await assertRejects(() => store.alertFeed({ after: 0, limit }), ImmuneError);
      assertEquals(error.code, "INPUT_MALFORMED");
    }
  }],
  ["detected() adds alerts to the others once, and counts them once", async (store) => {
    await agentWith(store, [1]);
    assertEquals(await store.detected({ alerts: [own(5), own(6)] }), 2);
    assertEquals(await store.detected({ alerts: [own(6), own(7)] }), 1);
    const { alerts } = await store.alerts({ limit: 10 });
    assertEquals(alerts.map(({ id }) => parseInt(id, 16)), [7, 6, 5, 1]);
    assertEquals(await store.alert(own(5).id), own(5));
    assertEquals((await store.stats()).alertsBySeverity, { high: 4 });
  }],
  ["detected() takes the id that an agent's alert has, and keeps it", async (store) => {
    const { id, hostId } = await agentWith(store, [5]);
    assertEquals(await store.detected({ alerts: [own(5)] }), 1);
    assertEquals((await store.alert(own(5).id))?.host.id, own(5).host.id);
    assertEquals(await fed(store, 0), []);
    const records = [alertRecord(sampleAlert(5, { hostId }))];
    await store.append({ agentId: id, bytes: sampleBatch({ first: 2, records, hostId }) });
    assertEquals((await store.alert(own(5).id))?.host.id, own(5).host.id);
  }],
  ["detected() keeps the state with the alerts, or neither", async (store) => {
    assertEquals(await store.detectionState(), undefined);
    const state = (position: number) => ({ position, state: new Uint8Array([position, 0, 255]) });
    await store.detected({ alerts: [], state: state(3) });
    await store.detected({ alerts: [own(1)] });
    assertEquals(await store.detectionState(), state(3));
    const broken = { ...own(2), time: "yesterday" };
    const work = store.detected({ alerts: [own(4), broken], state: state(9) });
    assertEquals((await assertRejects(() => work, ImmuneError)).code, "INPUT_MALFORMED");
    assertEquals(await store.detectionState(), state(3));
    assert(await store.alert(own(4).id) === undefined);
  }],
];
