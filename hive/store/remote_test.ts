import { assert, assertEquals, assertRejects } from "@std/assert";
import { ImmuneError } from "../../common/config/errors.ts";
import { enrolled, sampleBatch } from "./_batches_test_support.ts";
import { inFolder } from "./_folder_test_support.ts";
import type { StoreRequest } from "./messages.ts";
import { StoreWorker } from "./owner.ts";
import { RemoteStore, REQUESTS_IN_FLIGHT_MAX, REQUESTS_WAITING_MAX } from "./remote.ts";
import { SqliteStore } from "./sqlite.ts";
import type { Stored } from "./store.ts";

const CLIENT = new URL("./_client_worker_test_support.ts", import.meta.url).href;

function withWorker(test: (worker: StoreWorker, path: string) => Promise<void>): Promise<void> {
  return inFolder(async (folder) => {
    const path = `${folder}/store.db`;
    const worker = await StoreWorker.start({ path });
    try {
      await test(worker, path);
    } finally {
      await worker.close();
    }
  });
}

Deno.test("RemoteStore.append() hands a buffer over and copies a part of a larger one", () =>
  withWorker(async (worker) => {
    const store = worker.client();
    const { id, hostId } = await enrolled(store);
    const whole = sampleBatch({ first: 1, records: 3, hostId });
    const copy = whole.slice();
    const larger = new Uint8Array(5000);
    const second = sampleBatch({ first: 4, records: 3, hostId });
    larger.set(second, 100);
    const part = larger.subarray(100, 100 + second.length);
    await store.append({ agentId: id, bytes: whole });
    await store.append({ agentId: id, bytes: part });
    assertEquals(whole.length, 0, "handed over");
    assertEquals(part, second, "not touched");
    const blocks = await store.blocks({ limit: 9 });
    assertEquals(blocks.map(({ bytes }) => bytes), [second, copy]);
  }));

Deno.test("RemoteStore serves several clients at once, one in another Worker", () =>
  withWorker(async (worker) => {
    const store = worker.client();
    const { id, hostId } = await enrolled(store);
    const intake = new Worker(CLIENT, { type: "module" });
    const said = (): Promise<unknown> =>
      new Promise((resolve) => intake.onmessage = ({ data }) => resolve(data));
    await said();
    const port = worker.connect();
    intake.postMessage({ port, id, hostId, batches: 40 }, [port]);
    const [outcomes] = await Promise.all([
      said(),
      ...Array.from({ length: 40 }, () => store.stats()),
    ]);
    assertEquals(outcomes, Array(40).fill("stored"));
    assertEquals((await store.ledgers())[0]?.position, 40);
    intake.terminate();
  }));

/** A port whose other end answers nothing, and says how many requests lie before a mark. */
function silentPort(): { readonly port: MessagePort; readonly asked: () => Promise<number> } {
  const { port1, port2 } = new MessageChannel();
  const marked = Promise.withResolvers<number>();
  let requests = 0;
  port2.onmessage = ({ data }: MessageEvent<StoreRequest | "mark">) => {
    if (data !== "mark") requests++;
    else marked.resolve(requests);
  };
  const asked = (): Promise<number> => {
    port1.postMessage("mark");
    return marked.promise.finally(() => port2.close());
  };
  return { port: port1, asked };
}

Deno.test("RemoteStore bounds the requests under way and those that wait", async () => {
  const { port, asked } = silentPort();
  const store = new RemoteStore(port);
  const all = Array.from(
    { length: REQUESTS_IN_FLIGHT_MAX + REQUESTS_WAITING_MAX + 2 },
    () => store.stats(),
  );
  const settled = Promise.allSettled(all);
  await assertRejects(() => all.at(-1) ?? Promise.resolve(), ImmuneError, "try again");
  assertEquals(store.turnedAway, 2);
  assertEquals(await asked(), REQUESTS_IN_FLIGHT_MAX);
  store.fail(new ImmuneError("STORE_FAILED", "The store ended"));
  const codes = (await settled).map((each) =>
    each.status === "rejected" && each.reason instanceof ImmuneError
      ? each.reason.code
      : each.status
  );
  assertEquals(codes.filter((code) => code === "RATE_LIMITED").length, 2);
  assertEquals(codes.filter((code) => code === "STORE_FAILED").length, all.length - 2);
});

Deno.test("RemoteStore.close() waits for what was asked and leaves other clients alone", () =>
  withWorker(async (worker) => {
    const [one, two] = [worker.client(), worker.client()];
    const { id, hostId } = await enrolled(one);
    const bytes = sampleBatch({ first: 1, records: 2, hostId });
    const waiting = one.append({ agentId: id, bytes });
    await one.close();
    const expected: Stored = { outcome: "stored", position: 2, stored: 2 };
    assertEquals(await waiting, expected);
    await assertRejects(() => one.agents(), ImmuneError, "closed");
    assertEquals((await two.agents()).length, 1);
  }));

Deno.test("StoreWorker.start() fails with the store's own error", () =>
  inFolder(async (folder) => {
    const path = `${folder}/store.db`;
    Deno.writeTextFileSync(path, "no database ".repeat(1000));
    const error = await assertRejects(() => StoreWorker.start({ path }), ImmuneError);
    assertEquals(error.code, "STORE_FAILED");
    assert(error.message.includes(path));
  }));

Deno.test("StoreWorker.close() stores what was asked before and frees the file", () =>
  inFolder(async (folder) => {
    const path = `${folder}/store.db`;
    const worker = await StoreWorker.start({ path });
    const store = worker.client();
    const { id, hostId } = await enrolled(store);
    const waiting = store.append({
      agentId: id,
      bytes: sampleBatch({ first: 1, records: 2, hostId }),
    });
    await worker.close();
    assertEquals((await waiting).outcome, "stored");
    const again = new SqliteStore(path);
    assertEquals((await again.ledgers())[0]?.position, 2);
    await again.close();
  }));

Deno.test("StoreWorker.failed tells of a Worker that ended, and its clients fail", () =>
  inFolder(async (folder) => {
    const program = { name: "dying", source: "hive/store/_dying_worker_test_support.ts" };
    const worker = await StoreWorker.start({ path: `${folder}/store.db`, program });
    const asked = worker.client().stats();
    const outcome = assertRejects(() => asked, ImmuneError, "The store ended");
    await assertRejects(() => worker.failed, ImmuneError, "The store ended");
    await outcome;
    await assertRejects(() => worker.client().stats(), ImmuneError);
  }));
