import { assertEquals } from "@std/assert";
import { FakeClock } from "../../common/config/clock.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { errorSchema } from "../../common/link/protocol.ts";
import { encodeRecord } from "../../common/record/mod.ts";
import { encodeBatch } from "../../common/wire/mod.ts";
import { SqliteStore } from "../store/mod.ts";
import { inFolder } from "../trust/_test_support.ts";
import type { CheckedCertificate } from "../trust/mod.ts";
import { createIntake, type IntakeApp, type IntakeAppOptions } from "./app.ts";
import { STORE_TIMEOUT_MS } from "./bounds.ts";

const NOW_MS = Date.UTC(2031, 4, 6);
const HOST = "0d".repeat(32);
const AGENT = "0b0c0d0e-1234-4abc-8def-001122334455";
const SHOWN: CheckedCertificate = {
  fingerprint: "0f".repeat(32),
  agentId: AGENT,
  notBeforeMs: NOW_MS - 1000,
  notAfterMs: NOW_MS + 1000,
};

/** The part of a store that no test here asks. */
const NO_ORDERS = {
  confirmCertificate: () => Promise.resolve(),
  directivesFor: () => Promise.resolve([]),
  refusedCertificates: () => Promise.resolve([]),
  addReport: () => Promise.resolve(),
  herd: () => Promise.reject(new Error("nobody is heard")),
};

function batch(): Uint8Array<ArrayBuffer> {
  return encodeBatch({
    first: 1,
    recordCount: 1,
    losses: [],
    journalId: "0a".repeat(16),
    bootId: "0b".repeat(16),
    hostId: HOST,
    epoch: 1,
    wallOffsetNs: 0n,
  }, encodeRecord("fork", {}));
}

async function post({ app }: IntakeApp, path = "/v1/batches"): Promise<[number, string]> {
  const response = await app.request(path, { method: "POST", body: batch() });
  const text = await response.text();
  const code = response.ok ? "" : errorSchema.parse(JSON.parse(text)).error.code;
  return [response.status, code];
}

async function withStore(
  test: (store: SqliteStore, clock: FakeClock) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const clock = new FakeClock(NOW_MS);
    const store = new SqliteStore(`${folder}/store.db`, { clock });
    await store.addAgent({ id: AGENT, hostId: HOST, hostName: "host" }, SHOWN.fingerprint);
    await test(store, clock);
    await store.close();
  });
}

Deno.test("createIntake() takes a batch by whatever source names the client", async () => {
  await withStore(async (store, clock) => {
    const intake = createIntake({ store, clock, source: () => SHOWN });
    assertEquals(await post(intake), [200, ""]);
    assertEquals(intake.totals(), {
      batches: 1,
      repeated: 0,
      records: 1,
      bytes: batch().length,
    });
    assertEquals(await post(intake, "/v1/other"), [404, "NOT_FOUND"]);
  });
});

Deno.test("createIntake() refuses a certificate that ran out while it was connected", async () => {
  await withStore(async (store, clock) => {
    const intake = createIntake({ store, clock, source: () => SHOWN });
    clock.advance(1000);
    assertEquals(await post(intake), [200, ""]);
    clock.advance(1);
    assertEquals(await post(intake), [403, "CERTIFICATE_REFUSED"]);
    assertEquals(intake.refusals.counts().bad_certificate, 1);
  });
});

Deno.test("createIntake() refuses a certificate whose row is another agent's", async () => {
  await withStore(async (store, clock) => {
    const shown = { ...SHOWN, agentId: crypto.randomUUID() };
    const intake = createIntake({ store, clock, source: () => shown });
    assertEquals(await post(intake), [403, "CERTIFICATE_REFUSED"]);
    assertEquals(intake.refusals.counts().not_enrolled, 1);
  });
});

Deno.test("createIntake() gives each failure of the store its status and its counter", async () => {
  await withStore(async (store, clock) => {
    const certificate: IntakeAppOptions["store"]["certificate"] = (shown) =>
      store.certificate(shown);
    const cases = [
      [new ImmuneError("STORE_FAILED", "Cannot write"), 503, "STORE_FAILED", "store"],
      [new ImmuneError("STORE_FULL", "Cannot write"), 507, "STORE_FAILED", "store"],
      [new ImmuneError("RATE_LIMITED", "Cannot wait"), 429, "RATE_LIMITED", "queue_full"],
      [new ImmuneError("RECORD_MALFORMED", "Cannot read"), 400, "RECORD_MALFORMED", "malformed"],
      [new ImmuneError("AGENT_MISMATCH", "Cannot store"), 403, "AGENT_MISMATCH", "mismatch"],
      [new ImmuneError("CERTIFICATE_REFUSED", "Revoked"), 403, "CERTIFICATE_REFUSED", "revoked"],
      [new TypeError("a defect"), 500, "INTERNAL", "request"],
    ] as const;
    for (const [error, status, code, reason] of cases) {
      const failing = { ...NO_ORDERS, certificate, append: () => Promise.reject(error) };
      const intake = createIntake({ store: failing, clock, source: () => SHOWN });
      assertEquals(await post(intake), [status, code]);
      assertEquals(intake.refusals.counts()[reason], 1);
    }
  });
});

Deno.test("createIntake() does not wait for a store that does not answer", async () => {
  await withStore(async (store, clock) => {
    const asked = Promise.withResolvers<void>();
    const silent: IntakeAppOptions["store"] = {
      certificate: (shown) => store.certificate(shown),
      ...NO_ORDERS,
      append: () => {
        asked.resolve();
        return new Promise(() => {});
      },
    };
    const intake = createIntake({ store: silent, clock, source: () => SHOWN });
    const answer = post(intake);
    await asked.promise;
    await Promise.resolve();
    clock.advance(STORE_TIMEOUT_MS);
    assertEquals(await answer, [503, "STORE_FAILED"]);
    assertEquals(clock.pendingTimers, 0);
  });
});
