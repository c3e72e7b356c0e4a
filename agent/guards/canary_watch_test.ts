import { assert, assertEquals } from "@std/assert";
import { readStanding } from "./standing.ts";
import { frame, GuardScene, HOUR_MS } from "./_guard_test_support.ts";

/** The hive answers what was asked last. */
async function answer(scene: GuardScene, number = 1): Promise<void> {
  const { nonce } = scene;
  await scene.guard.take(await frame({ kind: "canary", body: { nonce } }, { number }));
}

Deno.test("dead man's switch: warned after 36 h, lost after 48 h, left on the next canary", async () => {
  await using scene = await GuardScene.open({ onCanaryLoss: "observe" });
  scene.guard.start();
  await answer(scene);
  await scene.pass(35 * HOUR_MS);
  assertEquals([scene.guard.canary, scene.acts], ["fresh", []]);
  await scene.pass(HOUR_MS);
  assertEquals([scene.guard.canary, scene.last.canary], ["warned", "warned"]);
  assert(scene.warnings.at(-1)?.includes("will stop blocking"));
  assertEquals([scene.guard.blocks, readStanding(scene.folder)?.canaryHours], [true, 36]);
  await scene.pass(12 * HOUR_MS);
  assertEquals([scene.guard.canary, scene.acts], ["lost", ["blocking false"]]);
  assertEquals([scene.guard.blocks, readStanding(scene.folder)], [
    false,
    { stopped: false, canary: "lost", canaryHours: 48 },
  ]);
  await answer(scene);
  assertEquals([scene.guard.canary, scene.last.canary], ["fresh", "fresh"]);
  assertEquals([scene.guard.blocks, readStanding(scene.folder)?.canary], [true, "fresh"]);
  assertEquals(scene.acts, ["blocking false", "blocking true"]);
});

Deno.test('dead man\'s switch: "keep" changes nothing and says so', async () => {
  await using scene = await GuardScene.open();
  scene.guard.start();
  await scene.pass(60 * HOUR_MS);
  assertEquals([scene.guard.canary, scene.guard.blocks, scene.acts], ["lost", true, []]);
  assert(scene.warnings.at(-1)?.includes("nothing changes here"));
});

Deno.test("dead man's switch asks every 6 h, and again when nobody answers", async () => {
  await using scene = await GuardScene.open();
  scene.guard.start();
  await answer(scene);
  await scene.pass(5.5 * HOUR_MS);
  assertEquals(scene.nonces.length, 1);
  await scene.pass(HOUR_MS, 60_000);
  const asked = scene.nonces.length;
  assert(asked > 2, `${asked} times`);
  assert(asked < 12, `${asked} times`);
  await answer(scene);
  await scene.pass(5 * HOUR_MS);
  assertEquals(scene.nonces.length, asked);
});

Deno.test("dead man's switch: the host's clock neither triggers nor masks it", async () => {
  await using scene = await GuardScene.open();
  scene.guard.start();
  await answer(scene);
  // Set ahead by a month: no time has passed.
  scene.clock.advance(30 * 24 * HOUR_MS);
  assertEquals(scene.guard.canary, "fresh");
  // Time passes although the clock stands still.
  for (let hour = 0; hour < 48; hour++) scene.bootMs += HOUR_MS;
  assertEquals(scene.guard.canary, "lost");
  scene.clock.advance(60_000);
  await answer(scene, 2);
  assertEquals(scene.guard.canary, "fresh");
});

Deno.test("dead man's switch goes on over restarts of the agent and of the host", async () => {
  await using scene = await GuardScene.open();
  scene.guard.start();
  await answer(scene);
  await scene.pass(20 * HOUR_MS);
  scene.restart({ killed: true });
  // Off for ten hours while the host is on.
  scene.bootMs += 10 * HOUR_MS;
  scene.restart({ killed: true });
  scene.guard.start();
  await scene.pass(6 * HOUR_MS);
  assertEquals(scene.guard.canary, "warned");
  // Another boot, which has lasted twelve hours.
  scene.bootId = "b1".repeat(16);
  scene.bootMs = 12 * HOUR_MS;
  scene.restart({ killed: true });
  assertEquals(scene.guard.canary, "lost");
});

Deno.test("dead man's switch counts for an agent that never runs for a minute", async () => {
  await using scene = await GuardScene.open();
  scene.guard.start();
  for (let run = 0; run < 3; run++) {
    scene.restart({ killed: true });
    scene.guard.start();
    scene.bootMs += 12 * HOUR_MS;
  }
  scene.restart({ killed: true });
  assertEquals(scene.guard.canary, "warned");
  scene.guard.start();
  await answer(scene);
  scene.bootMs += 12 * HOUR_MS;
  scene.restart({ killed: true });
  assertEquals(scene.guard.canary, "fresh");
});

Deno.test("dead man's switch: a canary counts from when it was asked for", async () => {
  await using scene = await GuardScene.open();
  scene.guard.start();
  const { nonce } = scene;
  // On its way for five hours: held back by somebody, or by a slow line.
  await scene.pass(5 * HOUR_MS);
  await scene.guard.take(await frame({ kind: "canary", body: { nonce } }));
  await scene.pass(31 * HOUR_MS);
  assertEquals(scene.guard.canary, "warned");
});

Deno.test("dead man's switch: a pushed canary is only a reason to ask", async () => {
  await using scene = await GuardScene.open();
  scene.guard.start();
  await answer(scene);
  await scene.pass(40 * HOUR_MS);
  const asked = scene.nonces.length;
  await scene.guard.take(await frame({ kind: "canary", body: { nonce: null } }, { number: 2 }));
  assertEquals([scene.guard.canary, scene.nonces.length], ["warned", asked + 1]);
  await answer(scene, 2);
  assertEquals(scene.guard.canary, "fresh");
});

Deno.test("dead man's switch: pushed canaries come before an answer or behind it", async () => {
  await using scene = await GuardScene.open();
  const push = async (number: number): Promise<void> =>
    await scene.guard.take(await frame({ kind: "canary", body: { nonce: null } }, { number }));
  scene.guard.start();
  await push(7);
  await answer(scene, 6);
  assertEquals(scene.guard.canaryAsked, false);
  await push(8);
  await answer(scene, 9);
  await push(9);
  assertEquals([scene.guard.state.refused.replay, scene.guard.state.highest.canary], [0, 9]);
});

Deno.test("dead man's switch pauses and resumes though its state cannot be written", async () => {
  await using scene = await GuardScene.open({ onCanaryLoss: "observe" });
  scene.guard.start();
  await answer(scene);
  // A folder in the place of the file that is written first: nobody can write it, not even root.
  await Deno.mkdir(`${scene.folder}/command.json.new`);
  const unkept = (): number => scene.warnings.filter((line) => line.includes("Cannot keep")).length;
  await scene.pass(48 * HOUR_MS);
  assertEquals([scene.guard.canary, scene.acts, unkept()], ["lost", ["blocking false"], 1]);
  await scene.guard.take(await frame({ kind: "canary", body: { nonce: null } }, { number: 2 }));
  await answer(scene, 2);
  assertEquals([scene.guard.canary, scene.last.canary], ["fresh", "fresh"]);
  assertEquals([scene.acts, unkept()], [["blocking false", "blocking true"], 1]);
  await Deno.remove(`${scene.folder}/command.json.new`);
  await scene.pass(60_000);
  assertEquals(readStanding(scene.folder)?.canary, "fresh");
  scene.restart();
  assertEquals(scene.guard.state.highest.canary, 2);
  await Deno.mkdir(`${scene.folder}/command.json.new`);
  scene.guard.start();
  await scene.pass(60_000);
  assertEquals(unkept(), 2);
});

Deno.test("dead man's switch: a restart pauses nothing that is not lost any more", async () => {
  await using scene = await GuardScene.open({ onCanaryLoss: "observe" });
  scene.guard.start();
  await answer(scene);
  await scene.pass(50 * HOUR_MS);
  assertEquals(scene.acts, ["blocking false"]);
  scene.restart({ canary: { lossMs: 96 * HOUR_MS } });
  scene.guard.start();
  await scene.pass(60_000);
  assertEquals([scene.guard.canary, scene.acts], ["fresh", ["blocking false"]]);
  scene.restart({ canary: {} });
  scene.guard.start();
  assertEquals([scene.guard.canary, scene.acts.length], ["lost", 2]);
});

Deno.test("dead man's switch asks after a suspension before it pauses anything", async () => {
  await using scene = await GuardScene.open({ onCanaryLoss: "observe" });
  scene.guard.start();
  await answer(scene);
  const asked = scene.nonces.length;
  scene.bootMs += 49 * HOUR_MS;
  scene.clock.advance(60_000);
  assertEquals([scene.guard.canary, scene.acts, scene.nonces.length], ["warned", [], asked + 1]);
  await answer(scene, 2);
  await scene.pass(HOUR_MS);
  assertEquals([scene.guard.canary, scene.acts], ["fresh", []]);
  // Nobody answers: a second question, and then it is lost.
  scene.bootMs += 49 * HOUR_MS;
  await scene.pass(9 * 60_000, 60_000);
  assertEquals([scene.guard.canary, scene.acts, scene.nonces.length], ["warned", [], asked + 3]);
  await scene.pass(2 * 60_000, 60_000);
  assertEquals([scene.guard.canary, scene.acts], ["lost", ["blocking false"]]);
  // What was lost before stays so.
  scene.bootMs += 49 * HOUR_MS;
  await scene.pass(60_000);
  assertEquals([scene.guard.canary, scene.acts.length], ["lost", 1]);
});
