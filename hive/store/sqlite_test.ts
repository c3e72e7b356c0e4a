import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { FakeClock } from "../../common/config/clock.ts";
import { type ErrorCode, ImmuneError } from "../../common/config/errors.ts";
import { alertRecord, enrolled, loss, sampleAlert, sampleBatch } from "./_batches_test_support.ts";
import { inFolder } from "./_folder_test_support.ts";
import { APPLICATION_ID, MIGRATIONS } from "./schema.ts";
import { APPENDS_WAITING_MAX, type SqliteOptions, SqliteStore } from "./sqlite.ts";
import { MINUTES_MAX, type Stored } from "./store.ts";

const MINUTE_MS = 60_000;
const NOON = Date.UTC(2026, 4, 5, 12);

async function withStore(
  test: (store: SqliteStore, path: string) => Promise<void>,
  options: SqliteOptions = {},
): Promise<void> {
  await inFolder(async (folder) => {
    const store = new SqliteStore(`${folder}/store.db`, options);
    try {
      await test(store, `${folder}/store.db`);
    } finally {
      await store.close();
    }
  });
}

function refusal(path: string): ImmuneError {
  const error = assertThrows(() => new SqliteStore(path), ImmuneError);
  assertStringIncludes(error.message, `"${path}`);
  assert(!error.message.includes("\n") && !error.message.endsWith("."), "one line");
  return error;
}

Deno.test("SqliteStore keeps everything over a restart", () =>
  inFolder(async (folder) => {
    const path = `${folder}/store.db`;
    const first = new SqliteStore(path);
    const agent = await enrolled(first);
    const { id, hostId } = agent;
    const alert = sampleAlert(1, { hostId });
    await first.addToken({ secretHash: "a".repeat(64), expiresMs: Date.now() + MINUTE_MS });
    const losses = [loss("ring_full", { count: 3 })];
    const bytes = sampleBatch({ first: 1, records: [alertRecord(alert)], losses, hostId });
    await first.append({ agentId: id, bytes });
    const before = await Promise.all([first.agents(), first.ledgers(), first.blocks({ limit: 9 })]);
    await first.close();
    const second = new SqliteStore(path);
    const after = await Promise.all([
      second.agents(),
      second.ledgers(),
      second.blocks({ limit: 9 }),
    ]);
    assertEquals(after, before);
    assertEquals(await second.alert(alert.id), alert);
    const use = { nowMs: Date.now(), hostId: "0d".repeat(32), hostName: "gpu-1" };
    assert(await second.useToken("a".repeat(64), use) !== undefined);
    assertEquals((await second.certificate(agent.fingerprint))?.agentId, id);
    const again = sampleBatch({ first: 1, records: [alertRecord(alert)], losses, hostId });
    const repeated: Stored = { outcome: "stored", position: 1, stored: 0 };
    assertEquals(await second.append({ agentId: id, bytes: again }), repeated);
    await second.close();
  }));

Deno.test("SqliteStore makes files that nobody else can read", () =>
  withStore(async (store, path) => {
    await enrolled(store);
    for (const each of [path, `${path}-wal`, `${path}-shm`, `${path}.lock`]) {
      assertEquals((Deno.statSync(each).mode ?? 0) & 0o777, 0o600, each);
    }
  }));

Deno.test("SqliteStore.append() resolves after the commit is in the log on the disk", () =>
  withStore(async (store, path) => {
    const { id, hostId } = await enrolled(store);
    await store.append({ agentId: id, bytes: sampleBatch({ first: 1, records: 9, hostId }) });
    using other = new DatabaseSync(path, { readOnly: true });
    assertEquals({ ...other.prepare("SELECT position FROM journals").get() }, { position: 9 });
    assertEquals({ ...other.prepare("PRAGMA journal_mode").get() }, { journal_mode: "wal" });
  }));

Deno.test("SqliteStore refuses a store that another process has open", () =>
  withStore((_, path) => {
    const error = refusal(path);
    assertEquals(error.code, "STATE_LOCKED");
    assertStringIncludes(error.message, `pid ${Deno.pid}`);
    return Promise.resolve();
  }));

for (
  const [name, spoil] of Object.entries({
    "of text": (path: string) => Deno.writeTextFileSync(path, "no database ".repeat(2000)),
    "of zeros behind a good start": (path: string) => {
      using file = Deno.openSync(path, { write: true, read: true });
      file.seekSync(512, Deno.SeekMode.Start);
      file.writeSync(new Uint8Array(20 * 4096));
    },
    "that was cut in the middle": (path: string) => {
      Deno.truncateSync(path, 3 * 4096);
    },
  })
) {
  Deno.test(`SqliteStore refuses a file ${name} in one clear line, and lets the lock go`, () =>
    inFolder(async (folder) => {
      const path = `${folder}/store.db`;
      const store = new SqliteStore(path);
      await enrolled(store);
      await store.close();
      spoil(path);
      for (let i = 0; i < 2; i++) {
        const { code, message } = refusal(path);
        assertEquals(code, "STORE_FAILED");
        assertStringIncludes(message, "move the file away");
      }
    }));
}

Deno.test("SqliteStore refuses a folder that is not there", () => {
  assertEquals(refusal("/proc/nowhere/store.db").code, "STATE_UNUSABLE");
});

Deno.test("SqliteStore refuses the database of another program and leaves it as it is", () =>
  inFolder((folder) => {
    const path = `${folder}/store.db`;
    {
      using other = new DatabaseSync(path);
      other.exec("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    }
    const { code, message } = refusal(path);
    assertEquals(code, "STORE_FAILED");
    assertStringIncludes(message, "another program");
    using other = new DatabaseSync(path);
    assertEquals({ ...other.prepare("SELECT count(*) AS n FROM sqlite_schema").get() }, { n: 1 });
    assertEquals({ ...other.prepare("PRAGMA journal_mode").get() }, { journal_mode: "delete" });
  }));

Deno.test("SqliteStore brings a store of the first version up to this one", () =>
  inFolder(async (folder) => {
    const path = `${folder}/store.db`;
    {
      using old = new DatabaseSync(path);
      old.exec(MIGRATIONS[0] ?? "");
      old.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 1`);
      old.exec(`INSERT INTO agents (id, host_id, host_name, enrolled_ms, stored)
        VALUES ('a', 'b', 'gpu-1', 0, 12)`);
      old.exec("INSERT INTO journals (agent, journal_id, position) VALUES (1, 'j', 1)");
      old.exec(`INSERT INTO blocks VALUES (1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 'b', 'o', 1, 1)`);
      old.prepare(`INSERT INTO alerts VALUES (7, 'x', 1, 5, 'low', 'r', 't', 'b', 1, 'e', ?)`)
        .run('{"id":"x"}');
    }
    const store = new SqliteStore(path);
    assertEquals(await store.alert("x") as unknown, { id: "x" });
    assertEquals((await store.alertFeed({ after: 6, limit: 2 })).map(({ number }) => number), [7]);
    const [agent] = await store.agents();
    assertEquals([agent?.hostName, agent?.rules], ["gpu-1", null]);
    assertEquals((await store.stats()).events, 12);
    await store.close();
  }));

Deno.test("SqliteStore refuses a store that a newer version has written", () =>
  inFolder(async (folder) => {
    const path = `${folder}/store.db`;
    await new SqliteStore(path).close();
    {
      using other = new DatabaseSync(path);
      other.exec("PRAGMA user_version = 99");
    }
    assertStringIncludes(refusal(path).message, "its schema has version 99");
  }));

Deno.test("SqliteStore over its bound refuses whole batches, and takes those that fit", () =>
  withStore(async (store) => {
    const { id, hostId } = await enrolled(store);
    const noise = (first: number, records: number): Uint8Array<ArrayBuffer> => {
      const bytes = Array.from(
        { length: records },
        () => alertRecord(crypto.getRandomValues(new Uint8Array(9000)).toHex()),
      );
      return sampleBatch({ first, records: bytes, hostId });
    };
    let position = 0;
    let full: unknown;
    for (let round = 0; round < 100 && full === undefined; round++) {
      const bytes = noise(position + 1, 10);
      await store.append({ agentId: id, bytes }).then(
        () => position += 10,
        (error) => full = error,
      );
    }
    assert(full instanceof ImmuneError);
    assertEquals([full.code, full.status], ["STORE_FULL", 507]);
    assert(position >= 20, `some were stored: ${position}`);
    // A small one still fits, though it came in one turn with one that does not.
    const [big, small] = await Promise.allSettled([
      store.append({ agentId: id, bytes: noise(position + 1, 100) }),
      store.append({
        agentId: id,
        bytes: sampleBatch({ first: position + 1, records: 1, hostId }),
      }),
    ]);
    assertEquals([big.status, small.status], ["rejected", "fulfilled"]);
    const ledger = (await store.ledgers())[0];
    assertEquals([ledger?.position, ledger?.stored], [position + 1, position + 1]);
    assertEquals((await store.blocks({ limit: 100 })).length, position / 10 + 1);
    assertEquals((await store.stats()).turnedAway.alerts, position, "nothing is counted twice");
  }, { bytesMax: 1024 * 1024 }));

Deno.test("SqliteStore over its bound still takes what people decide", () =>
  withStore(async (store) => {
    const { id, hostId } = await enrolled(store);
    const refused = async (first: number): Promise<string> => {
      const records = [alertRecord(crypto.getRandomValues(new Uint8Array(9000)).toHex())];
      const bytes = sampleBatch({ first, records, hostId });
      const outcome = await store.append({ agentId: id, bytes }).catch((error) => error);
      return outcome instanceof ImmuneError ? outcome.code : outcome.outcome;
    };
    let position = 0;
    while (await refused(position + 1) === "stored") position++;
    const document = (key: string): Promise<boolean> =>
      store.putDocument({
        kind: "account",
        id: key,
        key,
        version: 1,
        body: JSON.stringify("0".repeat(9000)),
      });
    for (let i = 0; i < 50; i++) assertEquals(await document(`one-${i}`), true);
    assertEquals(await refused(position + 1), "STORE_FULL", "they opened nothing for batches");
  }, { bytesMax: 1024 * 1024 }));

Deno.test("SqliteStore.append() turns away what is over the bound of those that wait", () =>
  withStore(async (store) => {
    const { id, hostId } = await enrolled(store);
    const outcomes = await Promise.allSettled(
      Array.from(
        { length: APPENDS_WAITING_MAX + 3 },
        (_, i) =>
          store.append({ agentId: id, bytes: sampleBatch({ first: i + 1, records: 1, hostId }) }),
      ),
    );
    const codes = outcomes.map((each) =>
      each.status === "rejected" ? (each.reason as ImmuneError).code as ErrorCode : "stored"
    );
    assertEquals(codes.filter((code) => code === "RATE_LIMITED").length, 3);
    assertEquals(codes.indexOf("RATE_LIMITED"), APPENDS_WAITING_MAX);
    assertEquals((await store.stats()).turnedAway.appends, 3);
    assertEquals((await store.ledgers())[0]?.position, APPENDS_WAITING_MAX);
  }));

Deno.test("SqliteStore.close() stores what waits and refuses what comes behind it", () =>
  inFolder(async (folder) => {
    const path = `${folder}/store.db`;
    const store = new SqliteStore(path);
    const { id, hostId } = await enrolled(store);
    const bytes = (first: number): Uint8Array<ArrayBuffer> =>
      sampleBatch({ first, records: 2, hostId });
    const waiting = store.append({ agentId: id, bytes: bytes(1) });
    await store.close();
    await store.close();
    const expected: Stored = { outcome: "stored", position: 2, stored: 2 };
    assertEquals(await waiting, expected);
    await assertRejects(
      () => store.append({ agentId: id, bytes: bytes(3) }),
      ImmuneError,
      "closed",
    );
    await assertRejects(() => store.agents(), ImmuneError, "closed");
    const again = new SqliteStore(path);
    assertEquals((await again.ledgers())[0]?.position, 2);
    await again.close();
  }));

Deno.test("SqliteStore.stats() rolls up by the minute of coming, the last full ones", () => {
  const clock = new FakeClock(NOON);
  return withStore(async (store) => {
    const { id, hostId } = await enrolled(store);
    let first = 1;
    const put = async (records: number): Promise<void> => {
      await store.append({ agentId: id, bytes: sampleBatch({ first, records, hostId }) });
      first += records;
    };
    await put(2);
    assertEquals((await store.stats()).eventsByMinute, [], "this minute is not over");
    clock.advance(MINUTE_MS - 1);
    await put(3);
    clock.advance(2 * MINUTE_MS);
    await put(4);
    assertEquals((await store.stats()).eventsByMinute, [{ minuteMs: NOON, events: 5 }]);
    clock.advance((MINUTES_MAX - 2) * MINUTE_MS);
    await put(1);
    assertEquals((await store.stats()).eventsByMinute, [
      { minuteMs: NOON, events: 5 },
      { minuteMs: NOON + 2 * MINUTE_MS, events: 4 },
    ]);
    clock.advance(MINUTE_MS);
    await put(1);
    const { eventsByMinute, records } = await store.stats();
    assertEquals(eventsByMinute.map((each) => each.events), [4, 1]);
    assertEquals(records, 11);
  }, { clock });
});

Deno.test("SqliteStore.stats() counts today's alerts by the clock's day in UTC", () => {
  const clock = new FakeClock(NOON);
  return withStore(async (store) => {
    const { id, hostId } = await enrolled(store);
    const times = ["2026-05-04T23:59:59.999Z", "2026-05-05T00:00:00.000Z", "2026-05-05T23:00:00Z"];
    const records = times.map((time, i) => alertRecord(sampleAlert(i, { hostId, time })));
    await store.append({ agentId: id, bytes: sampleBatch({ first: 1, records, hostId }) });
    assertEquals((await store.stats()).alertsToday, 2);
    clock.advance(12 * 60 * MINUTE_MS);
    const { alertsToday, alertsBySeverity } = await store.stats();
    assertEquals([alertsToday, alertsBySeverity], [0, { high: 3 }]);
  }, { clock });
});

Deno.test("SqliteStore.addToken() drops those that expired", () => {
  const clock = new FakeClock(NOON);
  return withStore(async (store, path) => {
    await store.addToken({ secretHash: "a", expiresMs: NOON + MINUTE_MS });
    clock.advance(MINUTE_MS + 1);
    await store.addToken({ secretHash: "b", expiresMs: NOON + 9 * MINUTE_MS });
    using other = new DatabaseSync(path, { readOnly: true });
    const rows = other.prepare("SELECT secret_hash FROM tokens").all();
    assertEquals(rows.map((row) => row["secret_hash"]), ["b"]);
  }, { clock });
});

Deno.test("SqliteStore.blocks() reports a damaged block and does not give it", () =>
  withStore(async (store, path) => {
    const { id, hostId } = await enrolled(store);
    await store.append({ agentId: id, bytes: sampleBatch({ first: 1, records: 50, hostId }) });
    {
      using other = new DatabaseSync(path);
      other.exec("UPDATE block_bytes SET bytes = zeroblob(30)");
    }
    const error = await assertRejects(() => store.blocks({ limit: 1 }), ImmuneError);
    assertEquals(error.code, "STORE_FAILED");
  }));
