import { assert, assertEquals } from "@std/assert";
import { collect } from "./collection.ts";
import { parseDocuments, type RuleDocument } from "./document.ts";
import { RuleProblem } from "./problem.ts";

function values(text: string): unknown[] {
  return collect(parseDocuments(text)).map((document) =>
    document instanceof RuleProblem ? document.message : document.value
  );
}

function first(text: string): RuleDocument {
  const [document] = collect(parseDocuments(text));
  assert(document !== undefined && !(document instanceof RuleProblem));
  return document;
}

Deno.test("collect() leaves documents without an action as they are", () => {
  const documents = parseDocuments("a: x\n---\nb: y\n");
  assertEquals(collect(documents), documents);
});

Deno.test("collect() gives global keys to what follows until they are reset", () => {
  const text = "action: global\ntitle: T\nm: { a: x, b: y }\n---\nid: i\nm: { b: z }\n" +
    "---\nid: k\ntitle: U\n---\naction: reset\n---\nid: l\n";
  assertEquals(values(text), [
    { title: "T", id: "i", m: { a: "x", b: "z" } },
    { title: "U", id: "k", m: { a: "x", b: "y" } },
    { id: "l" },
  ]);
});

Deno.test("collect() repeats the document before with other keys", () => {
  const text = "action: global\ntitle: T\n---\nid: i\ns: [x]\n---\naction: repeat\nid: k\ns: [y]\n";
  assertEquals(values(text), [
    { title: "T", id: "i", s: ["x"] },
    { title: "T", id: "k", s: ["y"] },
  ]);
});

Deno.test("collect() knows the place of a key, the document's own or the global one's", () => {
  const { position, start } = first("action: global\nm:\n  a: x\n---\nm:\n  b: y\n");
  assertEquals(start.line, 5);
  assertEquals(position(["m", "a"]).line, 3);
  assertEquals(position(["m", "b"]).line, 6);
  assertEquals(position(["m"]).line, 5);
});

Deno.test("collect() names an unknown action, and a repeat of nothing", () => {
  const [unknown, repeat] = values("action: include\n---\naction: repeat\nid: x\n");
  assertEquals(unknown, `"action" is "include"; there are global, reset and repeat`);
  assertEquals(repeat, `"action: repeat" has no document before it to repeat`);
});
