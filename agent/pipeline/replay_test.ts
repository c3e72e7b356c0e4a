import { assertEquals, assertRejects } from "@std/assert";
import { ImmuneError } from "../../common/config/errors.ts";
import { commandLineHas, execRules } from "./_pipeline_test_support.ts";
import { replay } from "./replay.ts";

const RULES = execRules(commandLineHas("wanted"));

async function lines(file: string): Promise<{ matched: number[]; problems: number[] }> {
  const [matched, problems]: [number[], number[]] = [[], []];
  await replay(file, {
    ruleSet: RULES,
    onMatch: ({ line }) => matched.push(line),
    onProblem: (line) => problems.push(line),
  });
  return { matched, problems };
}

Deno.test({
  name: "replay() loses no byte of a named pipe, which can be read once only",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      const pipe = `${folder}/pipe`;
      assertEquals((await new Deno.Command("mkfifo", { args: [pipe] }).output()).success, true);
      const [found] = await Promise.all([
        lines(pipe),
        Deno.writeTextFile(pipe, '{"CommandLine":"wanted"}\n{"CommandLine":"wanted"}'),
      ]);
      assertEquals(found, { matched: [1, 2], problems: [] });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("replay() refuses what cannot be read, a folder and a missing file", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const file of [folder, `${folder}/missing`]) {
      const error = await assertRejects(() => lines(file), ImmuneError, file);
      assertEquals(error.code, "FILE_UNREADABLE");
    }
  } finally {
    await Deno.remove(folder);
  }
});

Deno.test("replay() finds nothing in what is shorter than a mark", async () => {
  const file = await Deno.makeTempFile();
  try {
    assertEquals(await lines(file), { matched: [], problems: [] });
    await Deno.writeTextFile(file, "IM");
    assertEquals(await lines(file), { matched: [], problems: [1] });
    await Deno.writeTextFile(file, "IMBA");
    assertEquals(await lines(file), { matched: [], problems: [1] });
  } finally {
    await Deno.remove(file);
  }
});
