import { assert, assertEquals } from "@std/assert";
import { FakeClock, ImmuneError } from "../../common/config/mod.ts";
import { alertRecord, enrolled, sampleBatch } from "../store/_batches_test_support.ts";
import { inFolder } from "../store/_folder_test_support.ts";
import { ALERTS_PER_PAGE_MAX, SqliteStore, type Store } from "../store/mod.ts";
import { rulesWith, sample, START_MS, THREE_HOSTS } from "./_alerts_test_support.ts";
import { AlertMatcher } from "./alert_matcher.ts";
import { Detector } from "./detector.ts";
import { DetectionFeed, FEED_ALERTS_MAX, STATE_SAVE_MS } from "./feed.ts";
import { fleetRules } from "./rules.ts";

const RULES = fleetRules([{ path: "t.yml", text: rulesWith(THREE_HOSTS) }]);

interface Scene {
  readonly store: SqliteStore;
  readonly clock: FakeClock;
  readonly lines: string[];
  /** Has a host's agent deliver alerts of rule `a`. */
  readonly deliver: (host: string, commands: readonly string[]) => Promise<void>;
  /** A feed that has gone on from where the last one was; `store` in its place, if given. */
  readonly feed: (store?: Store) => Promise<{ feed: DetectionFeed; detector: Detector }>;
}

function inScene(test: (scene: Scene) => Promise<void>): Promise<void> {
  return inFolder(async (folder) => {
    const clock = new FakeClock(START_MS);
    const store = new SqliteStore(`${folder}/store.db`);
    const lines: string[] = [];
    let number = 0;
    try {
      await test({
        store,
        clock,
        lines,
        deliver: async (host, commands) => {
          const { id, hostId } = await enrolled(store);
          const records = commands.map((command) => {
            const alert = sample({ host, rule: "a", command, atMs: ++number });
            return alertRecord({ ...alert, host: { id: hostId, name: `gpu-${host}` } });
          });
          const bytes = sampleBatch({ first: 1, records, hostId });
          await store.append({ agentId: id, bytes });
        },
        feed: async (other = store) => {
          const onLine = (line: string): void => void lines.push(line);
          const detector = new Detector({ matcher: await AlertMatcher.create(), clock, onLine });
          detector.use(RULES);
          const feed = new DetectionFeed({ store: other, detector, clock, onLine });
          await feed.start();
          return { feed, detector };
        },
      });
    } finally {
      await store.close();
    }
  });
}

async function raised(store: Store): Promise<readonly (readonly string[])[]> {
  const { alerts } = await store.alerts({ limit: ALERTS_PER_PAGE_MAX });
  return alerts.filter(({ correlation }) => correlation !== undefined)
    .map(({ correlation }) => correlation?.members.map(({ host }) => host?.name ?? "") ?? []);
}

Deno.test("DetectionFeed puts alerts over hosts beside the others, with their hosts", () =>
  inScene(async ({ store, deliver, feed }) => {
    const { feed: running } = await feed();
    for (const host of ["1", "2", "3"]) await deliver(host, ["evil"]);
    await running.drain();
    assertEquals(await raised(store), [["gpu-1", "gpu-2", "gpu-3"]]);
    await running.drain();
    assertEquals((await store.stats()).alertsBySeverity, { high: 3, critical: 1 });
    await running.stop();
  }));

Deno.test("DetectionFeed takes more alerts than one page has", () =>
  inScene(async ({ store, deliver, feed }) => {
    const { feed: running, detector } = await feed();
    const noise = Array.from({ length: FEED_ALERTS_MAX + 9 }, (_, i) => `command ${i}`);
    await deliver("1", [...noise, "evil"]);
    for (const host of ["2", "3"]) await deliver(host, ["evil"]);
    await running.drain();
    assertEquals(detector.counters.alerts, noise.length + 3);
    const { alerts } = await store.alerts({ limit: 1, severity: "critical" });
    assertEquals(alerts.length, 1);
    await running.stop();
  }));

Deno.test("DetectionFeed goes on where it stopped", () =>
  inScene(async ({ store, deliver, feed }) => {
    const { feed: first } = await feed();
    await deliver("1", ["evil"]);
    await deliver("2", ["evil"]);
    await first.drain();
    await first.stop();
    await deliver("3", ["evil"]);
    const { feed: second, detector } = await feed();
    await second.drain();
    assertEquals([detector.counters.alerts, (await raised(store)).length], [1, 1]);
    await second.stop();
  }));

Deno.test("DetectionFeed judges once more after a crash, and raises each alert once", () =>
  inScene(async ({ store, clock, deliver, feed }) => {
    const { feed: first } = await feed();
    await deliver("1", ["evil"]);
    clock.advance(STATE_SAVE_MS);
    await first.drain();
    assertEquals((await store.detectionState())?.position, 1);
    await deliver("2", ["evil"]);
    await deliver("3", ["evil"]);
    await first.drain();
    assertEquals((await raised(store)).length, 1);
    // The first one is never stopped: nothing more is put down.
    const { feed: second, detector } = await feed();
    await second.drain();
    assertEquals(detector.counters.alerts, 2);
    assertEquals((await raised(store)).length, 1);
    await second.stop();
  }));

Deno.test("DetectionFeed keeps what a full store did not take, says so once, and tries again", () =>
  inScene(async ({ store, lines, deliver, feed }) => {
    let isFull = true;
    const flaky = new Proxy(store, {
      get: (target, name: keyof SqliteStore) =>
        name === "detected" && isFull
          ? () => Promise.reject(new ImmuneError("STORE_FULL", "Cannot store: no room"))
          : target[name]?.bind(target),
    });
    const { feed: running } = await feed(flaky);
    for (const host of ["1", "2", "3"]) await deliver(host, ["evil"]);
    await running.drain();
    await running.drain();
    assertEquals([await raised(store), lines.length], [[], 1]);
    assert(/no room; trying again$/.test(lines[0] ?? ""));
    isFull = false;
    await running.drain();
    assertEquals([(await raised(store)).length, lines.length], [1, 2]);
    await running.stop();
  }));
