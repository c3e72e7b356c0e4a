import { assertEquals, assertRejects } from "@std/assert";
import { ImmuneError } from "../../common/config/errors.ts";
import { HIVE_WORKERS } from "../../hive/workers.ts";
import { prepareHiveHome } from "./state.ts";

async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await act(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const FIRST = "immune-hive.js";

/** What the hive runs, as `dist/` has it, beside something that it does not. */
async function writePrograms(folder: string, text: string): Promise<void> {
  for (const { name } of HIVE_WORKERS) await Deno.writeTextFile(`${folder}/${name}.js`, text);
  for (const name of [FIRST, "immune-agent.js"]) {
    await Deno.writeTextFile(`${folder}/${name}`, text);
  }
}

function mode(path: string): string {
  return ((Deno.statSync(path).mode ?? 0) & 0o777).toString(8);
}

Deno.test("prepareHiveHome() makes a closed folder and a program that can be read", async () => {
  await inFolder(async (folder) => {
    await writePrograms(folder, "1");
    const state = `${folder}/state`;
    const home = await prepareHiveHome(state, { programs: folder });
    const files = Array.from(Deno.readDirSync(home.programs), ({ name }) => name).toSorted();
    assertEquals(files, [FIRST, ...HIVE_WORKERS.map(({ name }) => `${name}.js`)].toSorted());
    for (const file of files) {
      assertEquals(await Deno.readTextFile(`${home.programs}/${file}`), "1");
      assertEquals(mode(`${home.programs}/${file}`), "644");
    }
    assertEquals([mode(state), mode(`${state}/hive`)], ["700", "700"]);
  });
});

Deno.test({
  name: "prepareHiveHome() gives the hive's user its folder and the way to it, no more",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    await inFolder(async (folder) => {
      await writePrograms(folder, "1");
      const state = `${folder}/state`;
      const user = { uid: 65_534, gid: 65_534 };
      await prepareHiveHome(state, { programs: folder, user });
      assertEquals(mode(state), "711");
      const hive = await Deno.stat(`${state}/hive`);
      assertEquals([hive.uid, hive.gid, mode(`${state}/hive`)], [65_534, 65_534, "700"]);
      assertEquals((await Deno.stat(`${state}/program/${FIRST}`)).uid, 0);
    });
  },
});

Deno.test("prepareHiveHome() replaces an older program", async () => {
  await inFolder(async (folder) => {
    await writePrograms(folder, "old");
    await prepareHiveHome(`${folder}/s`, { programs: folder });
    await writePrograms(folder, "new");
    const home = await prepareHiveHome(`${folder}/s`, { programs: folder });
    assertEquals(await Deno.readTextFile(`${home.programs}/${FIRST}`), "new");
  });
});

Deno.test("prepareHiveHome() names a state folder that is a file", async () => {
  await inFolder(async (folder) => {
    await writePrograms(folder, "1");
    const error = await assertRejects(
      () => prepareHiveHome(`${folder}/${FIRST}`, { programs: folder }),
      ImmuneError,
    );
    assertEquals(error.code, "STATE_UNUSABLE");
  });
});
