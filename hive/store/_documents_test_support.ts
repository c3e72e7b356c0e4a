import { assertEquals, assertRejects } from "@std/assert";
import { ImmuneError } from "../../common/config/errors.ts";
import {
  DOCUMENT_BYTES_MAX,
  type DocumentRow,
  DOCUMENTS_PER_PAGE_MAX,
  type Store,
} from "./store.ts";

type Case = readonly [name: string, test: (store: Store) => Promise<void>];

function sample(id: string, changes: Partial<DocumentRow> = {}): DocumentRow {
  return { kind: "thing", id, key: `key of ${id}`, version: 1, body: `{"of":"${id}"}`, ...changes };
}

/** What every store must do with documents. */
export const DOCUMENTS: readonly Case[] = [
  ["putDocument() keeps a document, found by id and by key", async (store) => {
    assertEquals(await store.putDocument(sample("a")), true);
    assertEquals(await store.document("thing", "a"), sample("a"));
    assertEquals(await store.findDocument("thing", "key of a"), sample("a"));
    assertEquals(await store.document("other", "a"), undefined);
    assertEquals(await store.findDocument("thing", "a"), undefined);
  }],
  ["putDocument() takes the next version and no other", async (store) => {
    await store.putDocument(sample("a"));
    const next = sample("a", { version: 2, body: "2" });
    for (const version of [1, 3]) {
      assertEquals(await store.putDocument({ ...next, version }), false);
    }
    assertEquals(await store.putDocument(next), true);
    assertEquals(await store.putDocument(next), false);
    assertEquals(await store.document("thing", "a"), next);
    assertEquals(await store.putDocument(sample("none", { version: 2 })), false);
  }],
  ["putDocument() of one version many times at once keeps one", async (store) => {
    await store.putDocument(sample("a"));
    const kept = await Promise.all(
      Array.from(
        { length: 20 },
        (_, i) => store.putDocument(sample("a", { version: 2, body: `${i}` })),
      ),
    );
    assertEquals(kept.filter((each) => each).length, 1);
  }],
  ["putDocument() refuses the key of another one, and takes many without a key", async (store) => {
    await store.putDocument(sample("a"));
    await store.putDocument(sample("b"));
    assertEquals(await store.putDocument(sample("c", { key: "key of a" })), false);
    assertEquals(await store.putDocument(sample("b", { key: "key of a", version: 2 })), false);
    assertEquals(await store.putDocument(sample("a", { kind: "other" })), true);
    for (const id of ["x", "y"]) {
      assertEquals(await store.putDocument(sample(id, { key: null })), true);
    }
  }],
  ["putDocument() refuses what is too long", async (store) => {
    const body = "ü".repeat(DOCUMENT_BYTES_MAX / 2);
    assertEquals(await store.putDocument(sample("a", { body })), true);
    const error = await assertRejects(
      () => store.putDocument(sample("b", { body: `${body}x` })),
      ImmuneError,
    );
    assertEquals(error.code, "INPUT_MALFORMED");
  }],
  ["documents() gives pages of a kind by their ids", async (store) => {
    for (const id of ["c", "a", "b", "d"]) await store.putDocument(sample(id));
    await store.putDocument(sample("a", { kind: "other" }));
    const first = await store.documents({ kind: "thing", limit: 3 });
    assertEquals([first.documents.map(({ id }) => id), first.next], [["a", "b", "c"], "c"]);
    const rest = await store.documents({ kind: "thing", limit: 3, after: first.next ?? "" });
    assertEquals([rest.documents.map(({ id }) => id), rest.next], [["d"], null]);
    for (const limit of [0, DOCUMENTS_PER_PAGE_MAX + 1]) {
      await assertRejects(() => store.documents({ kind: "thing", limit }), ImmuneError);
    }
  }],
  ["removeDocument() removes that one, once", async (store) => {
    await store.putDocument(sample("a"));
    await store.putDocument(sample("b"));
    assertEquals(await store.removeDocument("thing", "a"), true);
    assertEquals(await store.removeDocument("thing", "a"), false);
    assertEquals(await store.document("thing", "a"), undefined);
    assertEquals((await store.documents({ kind: "thing", limit: 9 })).documents.length, 1);
  }],
];
