import { assert, assertEquals, assertThrows } from "@std/assert";
import { ImmuneError } from "../../common/config/errors.ts";
import { encodeRecord } from "../../common/record/mod.ts";
import { compile, scanAll } from "./_engine_test_support.ts";
import { Engine } from "./engine.ts";

const OPEN = encodeRecord("open", { header: { pid: 1 }, slots: { path: "/a" } });

function imageFor(path: string, more = 0): Uint8Array {
  const values = [path, ...Array.from({ length: more }, (_, i) => `/other/file-${i}`)];
  return compile({
    category: "file_access",
    detection: [`s: { TargetFilename: [${values.join()}] }`, "condition: s"],
  }).image;
}

Deno.test("stage() changes nothing until publishStaged(), step for step", async () => {
  const engine = await Engine.create();
  engine.publish(imageFor("/a"));
  const staging = engine.stage(imageFor("/b", 16_000));
  let steps = 0;
  while (!staging.step()) {
    steps++;
    assertEquals(scanAll(engine, [OPEN]), [[0]]);
  }
  assert(steps > 5, `${steps} steps`);
  assertEquals(scanAll(engine, [OPEN]), [[0]]);
  assertEquals(engine.generation, 1);
  engine.publishStaged(staging);
  assertEquals(scanAll(engine, [OPEN]), [[]]);
  assertEquals(engine.generation, 2);
});

Deno.test("scan() tells the generation that a hit was found under", async () => {
  const engine = await Engine.create();
  for (let generation = 1; generation <= 4; generation++) {
    engine.publish(imageFor("/a"));
    engine.batch.set(OPEN);
    assertEquals(engine.scan(OPEN.length).map((hit) => hit.generation), [generation]);
    assertEquals(engine.generation, generation);
  }
});

Deno.test("publishStaged() refuses one that is not ready, not the last, or there already", async () => {
  const engine = await Engine.create();
  engine.publish(imageFor("/a"));
  const refused = (staging: Parameters<Engine["publishStaged"]>[0]): void => {
    const error = assertThrows(() => engine.publishStaged(staging), ImmuneError);
    assertEquals(error.code, "IMAGE_INVALID");
    assertEquals(scanAll(engine, [OPEN]), [[0]]);
  };
  const first = engine.stage(imageFor("/b"));
  refused(first);
  const second = engine.stage(imageFor("/c"));
  while (!second.step());
  refused(first);
  engine.publishStaged(second);
  assertEquals(scanAll(engine, [OPEN]), [[]]);
  assertThrows(() => engine.publishStaged(second), ImmuneError);
});

Deno.test("step() refuses an image with any byte changed and keeps the active one", async () => {
  const engine = await Engine.create();
  engine.publish(imageFor("/a"));
  for (const at of [0, 70, 400]) {
    const torn = imageFor("/b").slice();
    torn[at] = (torn[at] ?? 0) ^ 1;
    const staging = engine.stage(torn);
    assertThrows(() => {
      while (!staging.step());
    }, ImmuneError);
    assertEquals(scanAll(engine, [OPEN]), [[0]]);
  }
  const short = engine.stage(imageFor("/b").subarray(0, 40));
  assertThrows(() => {
    while (!short.step());
  }, ImmuneError);
});
