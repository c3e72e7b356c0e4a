import { assert, assertEquals, assertRejects } from "@std/assert";
import { ImmuneError } from "../config/errors.ts";
import { RULE_FOLDER_DEPTH_MAX, RULE_SOURCE_BYTES_MAX } from "./limits.ts";
import { readRuleSources } from "./read.ts";

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "immune-rules-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("readRuleSources() reads rule files below a folder, sorted, nothing else", async () => {
  await withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/b/c`, { recursive: true });
    for (const other of [".git", "b/playbooks"]) await Deno.mkdir(`${folder}/${other}`);
    const others = [".git/h.yml", "b/playbooks/p.yml"];
    for (const name of ["z.yml", "b/a.YAML", "b/c/x.yaml", "b/n.txt", ...others]) {
      await Deno.writeTextFile(`${folder}/${name}`, name);
    }
    const found = await readRuleSources(`${folder}/`);
    assertEquals(found.map(({ path, text }) => [path.slice(folder.length), text]), [
      ["/b/a.YAML", "b/a.YAML"],
      ["/b/c/x.yaml", "b/c/x.yaml"],
      ["/z.yml", "z.yml"],
    ]);
  });
});

Deno.test("readRuleSources() reads one file, whatever its name", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/rule.txt`, "x");
    assertEquals(await readRuleSources(`${folder}/rule.txt`), [
      { path: `${folder}/rule.txt`, text: "x" },
    ]);
  });
});

Deno.test("readRuleSources() ends where symbolic links go round, or lead nowhere", async () => {
  await withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/a`);
    await Deno.writeTextFile(`${folder}/a/r.yml`, "x");
    await Deno.symlink(folder, `${folder}/a/loop`);
    await Deno.symlink(`${folder}/gone`, `${folder}/gone.yml`);
    const found = await readRuleSources(folder);
    assertEquals(found.map(({ path }) => path.slice(folder.length)), ["/a/r.yml", "/gone.yml"]);
    assert(found[1]?.problem !== undefined);
  });
});

Deno.test("readRuleSources() names the problem of a file, too long or not UTF-8", async () => {
  await withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a.yml`, new Uint8Array(RULE_SOURCE_BYTES_MAX + 1));
    await Deno.writeFile(`${folder}/b.yml`, new Uint8Array([0x61, 0xFF]));
    const found = await readRuleSources(folder);
    assertEquals(found.map(({ problem }) => problem), [
      `File is longer than ${RULE_SOURCE_BYTES_MAX} bytes`,
      "File is not UTF-8",
    ]);
  });
});

Deno.test("readRuleSources() refuses a path that is not there, endless folders", async () => {
  await withFolder(async (folder) => {
    const gone = await assertRejects(() => readRuleSources(`${folder}/gone`), ImmuneError);
    assertEquals(gone.code, "FILE_UNREADABLE");
    await Deno.mkdir(`${folder}${"/d".repeat(RULE_FOLDER_DEPTH_MAX + 1)}`, { recursive: true });
    const deep = await assertRejects(() => readRuleSources(folder), ImmuneError);
    assertEquals(deep.code, "RULE_SET_TOO_LARGE");
  });
});

Deno.test({
  name: "readRuleSources() waits for no pipe in a folder, reads one that is named, bounded",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (folder) => {
      const pipe = `${folder}/a.yml`;
      assert((await new Deno.Command("mkfifo", { args: [pipe] }).output()).success);
      const [found] = await readRuleSources(folder);
      assertEquals(found, { path: pipe, text: "", problem: "It is no regular file" });
      const [named] = await Promise.all([readRuleSources(pipe), Deno.writeTextFile(pipe, "x: 1")]);
      assertEquals(named, [{ path: pipe, text: "x: 1" }]);
      const [endless] = await readRuleSources("/dev/zero");
      assertEquals(endless?.problem, `File is longer than ${RULE_SOURCE_BYTES_MAX} bytes`);
    }),
});
