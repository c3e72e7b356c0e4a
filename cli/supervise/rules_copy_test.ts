import { assertEquals, assertRejects } from "@std/assert";
import { ImmuneError } from "../../common/config/mod.ts";
import { copyRules } from "./rules_copy.ts";
import { rulesCopyIn } from "./rules_copy_path.ts";

Deno.test("copyRules() puts all rules into one file that others cannot read, again and again", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/program`);
  await Deno.mkdir(`${folder}/rules`);
  await Deno.writeTextFile(`${folder}/rules/b.yml`, "title: B");
  await Deno.writeTextFile(`${folder}/a.yml`, "title: A");
  const paths = [`${folder}/rules`, `${folder}/a.yml`];
  for (const title of ["B", "changed"]) {
    await Deno.writeTextFile(`${folder}/rules/b.yml`, `title: ${title}`);
    const copy = await copyRules(paths, { folder });
    assertEquals(copy, rulesCopyIn(folder));
    assertEquals(JSON.parse(await Deno.readTextFile(copy)), [
      { path: `${folder}/rules/b.yml`, text: `title: ${title}` },
      { path: `${folder}/a.yml`, text: "title: A" },
    ]);
    assertEquals((await Deno.stat(copy)).mode, 0o100640);
  }
  const error = await assertRejects(() => copyRules([`${folder}/none`], { folder }), ImmuneError);
  assertEquals(error.code, "FILE_UNREADABLE");
  await Deno.remove(folder, { recursive: true });
});
