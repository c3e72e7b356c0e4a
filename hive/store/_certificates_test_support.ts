import { assertEquals, assertRejects } from "@std/assert";
import { ImmuneError } from "../../common/config/errors.ts";
import { enrolled } from "./_batches_test_support.ts";
import type { Store } from "./store.ts";

type Case = readonly [name: string, test: (store: Store) => Promise<void>];

const NEW = "a1".repeat(32);
const OTHER = "b2".repeat(32);
const LATER_MS = Date.now() + 3_600_000;

async function isGood(store: Store, fingerprint: string): Promise<boolean> {
  const row = await store.certificate(fingerprint);
  const good = row !== undefined && !row.revoked;
  const refused = await store.refusedCertificates([fingerprint]);
  assertEquals(refused, good ? [] : [fingerprint], "both look at the same");
  return good;
}

/** What every store has to do with certificates. */
export const CERTIFICATES: readonly Case[] = [
  ["renewCertificate() leaves the old one good until the new one is used", async (store) => {
    const { id: agentId, hostId, fingerprint: by } = await enrolled(store);
    await store.renewCertificate({ fingerprint: NEW, by, untilMs: LATER_MS });
    assertEquals([await isGood(store, by), await isGood(store, NEW)], [true, true]);
    const renewed = { fingerprint: NEW, agentId, hostId, revoked: false, unused: true };
    assertEquals(await store.certificate(NEW), renewed);
    await store.confirmCertificate(NEW);
    assertEquals([await isGood(store, by), await isGood(store, NEW)], [false, true]);
    assertEquals((await store.certificate(NEW))?.unused, false);
    assertEquals((await store.agents()).map(({ revoked }) => revoked), [false]);
  }],
  ["renewCertificate() lets the old one go at its bound, used or not", async (store) => {
    const { fingerprint: by } = await enrolled(store);
    await store.renewCertificate({ fingerprint: NEW, by, untilMs: Date.now() - 1 });
    assertEquals([await isGood(store, by), await isGood(store, NEW)], [false, true]);
  }],
  ["renewCertificate() keeps one follower at a time, and never widens a bound", async (store) => {
    const { fingerprint: by } = await enrolled(store);
    await store.renewCertificate({ fingerprint: NEW, by, untilMs: Date.now() + 600_000 });
    await store.renewCertificate({ fingerprint: OTHER, by, untilMs: LATER_MS });
    assertEquals(await store.certificate(NEW), undefined);
    assertEquals(await isGood(store, OTHER), true);
    // One that follows can be followed too, before anybody used it otherwise.
    await store.renewCertificate({ fingerprint: NEW, by: OTHER, untilMs: LATER_MS });
    assertEquals([await isGood(store, OTHER), await isGood(store, NEW)], [true, true]);
  }],
  ["renewCertificate() is refused to one that is revoked, followed or unknown", async (store) => {
    const [one, two] = [await enrolled(store), await enrolled(store)];
    await store.revokeAgent(one.id);
    await store.renewCertificate({ fingerprint: NEW, by: two.fingerprint, untilMs: LATER_MS });
    await store.confirmCertificate(NEW);
    for (const by of [one.fingerprint, two.fingerprint, "0".repeat(64)]) {
      const error = await assertRejects(
        () => store.renewCertificate({ fingerprint: OTHER, by, untilMs: LATER_MS }),
        ImmuneError,
      );
      assertEquals(error.code, "CERTIFICATE_REFUSED");
    }
    assertEquals(await store.certificate(OTHER), undefined);
  }],
  ["refusedCertificates() names those that are not good, of many", async (store) => {
    const agents = [await enrolled(store), await enrolled(store), await enrolled(store)];
    const all = agents.map(({ fingerprint }) => fingerprint);
    assertEquals(await store.refusedCertificates(all), []);
    await store.revokeAgent(agents[1]?.id ?? "");
    const stranger = "0".repeat(64);
    assertEquals(
      (await store.refusedCertificates([...all, stranger])).toSorted(),
      [all[1], stranger].toSorted(),
    );
  }],
  ["addAgent() keeps the tags that the token gave", async (store) => {
    const agent = { id: crypto.randomUUID(), hostId: "5".repeat(64), hostName: "gpu-5" };
    await store.addAgent({ ...agent, tags: ["lab", "gpu"] }, NEW);
    assertEquals((await store.agents()).map(({ tags }) => tags), [["lab", "gpu"]]);
  }],
];
