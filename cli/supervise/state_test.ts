import { assertEquals, assertRejects } from "@std/assert";
import { ImmuneError } from "../../common/config/errors.ts";
import { prepareHiveHome } from "./state.ts";

async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await act(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function mode(path: string): string {
  return ((Deno.statSync(path).mode ?? 0) & 0o777).toString(8);
}

Deno.test("prepareHiveHome() makes a closed folder and a program that can be read", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/immune.js`, "1");
    const state = `${folder}/state`;
    const home = await prepareHiveHome(state, { program: `${folder}/immune.js` });
    assertEquals(await Deno.readTextFile(home.program), "1");
    assertEquals([mode(state), mode(`${state}/hive`), mode(home.program)], ["700", "700", "644"]);
  });
});

Deno.test({
  name: "prepareHiveHome() gives the hive's user its folder and the way to it, no more",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    await inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/immune.js`, "1");
      const state = `${folder}/state`;
      const user = { uid: 65_534, gid: 65_534 };
      await prepareHiveHome(state, { program: `${folder}/immune.js`, user });
      assertEquals(mode(state), "711");
      const hive = await Deno.stat(`${state}/hive`);
      assertEquals([hive.uid, hive.gid, mode(`${state}/hive`)], [65_534, 65_534, "700"]);
      assertEquals((await Deno.stat(`${state}/program/immune.js`)).uid, 0);
    });
  },
});

Deno.test("prepareHiveHome() replaces an older program", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/immune.js`, "old");
    await prepareHiveHome(`${folder}/s`, { program: `${folder}/immune.js` });
    await Deno.writeTextFile(`${folder}/immune.js`, "new");
    const { program } = await prepareHiveHome(`${folder}/s`, { program: `${folder}/immune.js` });
    assertEquals(await Deno.readTextFile(program), "new");
  });
});

Deno.test("prepareHiveHome() names a state folder that is a file", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/immune.js`, "1");
    const error = await assertRejects(
      () => prepareHiveHome(`${folder}/immune.js`, { program: `${folder}/immune.js` }),
      ImmuneError,
    );
    assertEquals(error.code, "STATE_UNUSABLE");
  });
});
