import { assertEquals } from "@std/assert";
import { TALLIES_MAX } from "../../common/wire/mod.ts";
import { DetachedBook } from "./detached.ts";

Deno.test("DetachedBook tells each gap of a program once, and keeps them all", () => {
  const book = new DetachedBook();
  assertEquals(book.take(), []);
  book.add(["on_exec", "on_fork"]);
  book.add(["on_exec"]);
  assertEquals(book.take(), [{ program: "on_exec", count: 2 }, { program: "on_fork", count: 1 }]);
  book.add(["on_fork"]);
  assertEquals(book.take(), [{ program: "on_fork", count: 1 }]);
  assertEquals(book.take(), []);
  assertEquals(book.all, [{ program: "on_exec", count: 2 }, { program: "on_fork", count: 2 }]);
});

Deno.test("DetachedBook keeps no more names than a record has room for", () => {
  const book = new DetachedBook();
  book.add(Array.from({ length: TALLIES_MAX + 5 }, (_, i) => `on_${i}`));
  assertEquals(book.all.length, TALLIES_MAX);
});
