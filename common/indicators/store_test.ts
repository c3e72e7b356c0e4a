import { assert, assertEquals, assertThrows } from "@std/assert";
import { ImmuneError } from "../config/errors.ts";
import { killedAfter } from "../../tests/support/killed.ts";
import { indicator, NOW_MS } from "./_indicators_test_support.ts";
import { IndicatorStore, readIndicators } from "./store.ts";

/** Times that the saving process is killed. */
const ROUNDS = 8;

async function inFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "immune-indicators-" });
  try {
    await test(`${folder}/agent/indicators`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("IndicatorStore keeps what was saved, and nothing that was not", () =>
  inFolder((folder) => {
    assertEquals(readIndicators(folder), undefined);
    {
      using store = IndicatorStore.open(folder);
      store.set.add([indicator()], NOW_MS);
      store.save();
      store.set.add([indicator({ value: "/tmp/y" })], NOW_MS);
    }
    using store = IndicatorStore.open(folder);
    assertEquals([...store.set.all()], [indicator()]);
    assertEquals(Deno.statSync(`${folder}/set`).mode?.toString(8).slice(-3), "600");
    assertEquals(Deno.statSync(folder).mode?.toString(8).slice(-3), "700");
  }));

Deno.test("IndicatorStore is changed by one process at a time, and can be read meanwhile", () =>
  inFolder((folder) => {
    {
      using store = IndicatorStore.open(folder);
      store.set.add([indicator()], NOW_MS);
      store.save();
      const error = assertThrows(() => IndicatorStore.open(folder), ImmuneError);
      assertEquals(error.code, "STATE_LOCKED");
      assertEquals(readIndicators(folder)?.size, 1);
    }
    using _store = IndicatorStore.open(folder);
  }));

Deno.test("IndicatorStore refuses a damaged set, a link and a folder that anyone may write", () =>
  inFolder((folder) => {
    {
      using store = IndicatorStore.open(folder);
      store.save();
    }
    const code = (): string => assertThrows(() => IndicatorStore.open(folder), ImmuneError).code;
    Deno.writeTextFileSync(`${folder}/set`, "no set");
    assertEquals([code(), code()], ["INDICATORS_INVALID", "INDICATORS_INVALID"]);
    Deno.removeSync(`${folder}/set`);
    Deno.chmodSync(folder, 0o777);
    assertEquals(code(), "STATE_UNUSABLE");
    Deno.renameSync(folder, `${folder}_elsewhere`);
    Deno.symlinkSync(`${folder}_elsewhere`, folder);
    assertEquals(code(), "STATE_UNUSABLE");
    Deno.removeSync(folder);
    Deno.writeTextFileSync(folder, "");
    assertEquals(code(), "STATE_UNUSABLE");
  }));

Deno.test("IndicatorStore.save() that fails leaves the set before, and nothing half-written", () =>
  inFolder((folder) => {
    using store = IndicatorStore.open(folder);
    store.set.add([indicator()], NOW_MS);
    store.save();
    // In the way of the new file, as a full disk would be.
    Deno.mkdirSync(`${folder}/set.new`);
    store.set.add([indicator({ value: "/tmp/y" })], NOW_MS);
    assertEquals(assertThrows(() => store.save(), ImmuneError).code, "STATE_UNUSABLE");
    assertEquals(readIndicators(folder)?.size, 1);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["lock", "set"]);
  }));

Deno.test("IndicatorStore has the last set that was saved, or the next, after SIGKILL", () =>
  inFolder(async (folder) => {
    const script = new URL("./_saver_test_support.ts", import.meta.url);
    for (let round = 0; round < ROUNDS; round++) {
      const lines = await killedAfter(script, { args: [folder], lines: 1 + round % 2 });
      const saved = Number(lines.at(-1));
      const image = readIndicators(folder);
      assertEquals(image?.size, 500);
      const [, , found] = image?.indicatorAt(0).value.split("/") ?? [];
      assert(Number(found) === saved || Number(found) === saved + 1, `${saved}, but ${found}`);
      using _store = IndicatorStore.open(folder);
    }
  }));
