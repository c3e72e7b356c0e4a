import { assertEquals } from "@std/assert";
import { parseEnforcement } from "./parse.ts";
import { directoriesLeft } from "./tables.ts";

/** A policy of this many trees in one directory, in entries of 1,024. */
function leftOf(trees: number): number {
  const paths = Array.from({ length: trees }, (_, i) => `"/trees/${i}/**"`);
  const entries = Array.from(
    { length: Math.ceil(trees / 1024) },
    (_, i) =>
      `[[entry]]\nname = "${i}"\naction = "open"\nmode = "block"\n` +
      `paths = [${paths.slice(i * 1024, (i + 1) * 1024)}]\n`,
  );
  const { entries: parsed } = parseEnforcement(entries.join(""), { file: "test", homes: [] });
  return directoriesLeft(parsed);
}

Deno.test("directoriesLeft() counts what the table of paths has no room for, each once", () => {
  // The directory that all are in takes a row too.
  assertEquals([leftOf(1), leftOf(4095), leftOf(4097)], [0, 0, 2]);
});
