import { assert, assertEquals } from "@std/assert";

/** Longest program file, in lines. */
const LINES_MAX = 200;
const ROOT = new URL("../bpf/", import.meta.url);
const LOOP = /^\s*(?:for|while) \(/;
/** Words to the verifier or the compiler that a reader would otherwise take out. */
const TRICK = /barrier_var\(|asm volatile/;

/** Sources that are compiled for the kernel, as lines by name. */
function sources(): readonly (readonly [name: string, lines: readonly string[]])[] {
  return ["events", "enforce", "lib"].flatMap((folder) =>
    [...Deno.readDirSync(new URL(folder, ROOT))].map(({ name }) =>
      [
        `bpf/${folder}/${name}`,
        Deno.readTextFileSync(new URL(`${folder}/${name}`, ROOT)).split("\n"),
      ] as const
    )
  );
}

/** Whether the lines right above one end with a comment, pragmas left out. */
function isExplained(lines: readonly string[], at: number): boolean {
  let above = at - 1;
  while (lines[above]?.startsWith("#pragma")) above--;
  return lines[above]?.trimEnd().endsWith("*/") === true;
}

Deno.test("no program file of bpf is longer than 200 lines", () => {
  const long = sources().filter(([name, lines]) =>
    name.endsWith(".bpf.c") && lines.length - 1 > LINES_MAX
  );
  assertEquals(long.map(([name]) => name), []);
});

Deno.test("each loop of bpf says what bounds it", () => {
  const bare = sources().flatMap(([name, lines]) =>
    lines.flatMap((line, i) =>
      LOOP.test(line) && !isExplained(lines, i) ? [`${name}:${i + 1}`] : []
    )
  );
  assertEquals(bare, []);
});

Deno.test("each trick for the verifier says why it is there", () => {
  const isTrick = (line: string | undefined): boolean =>
    line !== undefined && TRICK.test(line) && !line.trimStart().startsWith("*");
  const bare = sources().flatMap(([name, lines]) =>
    lines.flatMap((line, i) => {
      if (!isTrick(line) || line.includes("/*") || line.includes("*/")) return [];
      // Several in a row have one comment.
      let first = i;
      while (isTrick(lines[first - 1])) first--;
      return isExplained(lines, first) ? [] : [`${name}:${i + 1}`];
    })
  );
  assertEquals(bare, []);
  assert(sources().some(([, lines]) => lines.some(isTrick)));
});
