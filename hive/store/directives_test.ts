import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { EVERY_HOST } from "../../common/wire/mod.ts";
import { type DirectiveRow, DIRECTIVES_KEPT } from "./directive_store.ts";
import { DirectiveRows } from "./directives.ts";
import { migrate } from "./schema.ts";

Deno.test("DirectiveRows keeps a bounded number, and what is ordered of antibodies besides", () => {
  using database = new DatabaseSync(":memory:");
  migrate(database, ":memory:");
  const rows = new DirectiveRows(database);
  const head = { stream: "directive", target: EVERY_HOST, issuedMs: 1, expiresMs: 2 } as const;
  const add = (number: number, kind: DirectiveRow["kind"]): void =>
    rows.add({ ...head, number, kind, by: "ada", bytes: new Uint8Array(1) });
  add(1, "antibodies");
  for (let number = 2; number <= DIRECTIVES_KEPT + 3; number++) add(number, "rules");
  const after = { directive: 0, canary: 0, stop: 0 };
  const kept = rows.unseen({ hostId: EVERY_HOST, after, nowMs: 1 });
  assertEquals(kept.slice(0, 2).map(({ number }) => number), [1, 4]);
  const { count } = database.prepare("SELECT count(*) AS count FROM directives").get() ?? {};
  assertEquals(count, DIRECTIVES_KEPT + 1);
});
