import { assert, assertEquals, assertThrows } from "@std/assert";
import { ImmuneError } from "../../common/config/mod.ts";
import { newSeed, signingKey, stopKeySuccession } from "../../common/keys/mod.ts";
import { POLICY_OPENS } from "../../common/wire/mod.ts";
import { CommandFile } from "./command_state.ts";
import {
  directiveKey,
  FLEET,
  frame,
  GuardScene,
  NOW_MS,
  stopKey,
  TRUST,
} from "./_guard_test_support.ts";

const STOP = { kind: "stop", body: { action: "stop" } } as const;
const RULES = { kind: "rules", body: { pack: "cd".repeat(32) } } as const;

Deno.test("Guard carries an order out and reports what it found afterwards", async () => {
  await using scene = await GuardScene.open();
  await scene.guard.take(await frame(RULES, { number: 4 }));
  assertEquals(scene.acts, ["rules cdcd"]);
  assertEquals(scene.last.results, [{
    sequence: 1,
    stream: "directive",
    number: 4,
    kind: "rules",
    outcome: "done",
    cause: null,
    text: "rules cdcd found so",
    timeMs: NOW_MS,
  }]);
  assertEquals(scene.guard.state.pack, RULES.body.pack);
  scene.guard.reported(1);
  assertEquals(scene.guard.state.results, []);
});

Deno.test("Guard keeps an order for each kind of opens over a restart", async () => {
  await using scene = await GuardScene.open();
  for (const [number, open] of [...POLICY_OPENS, null].entries()) {
    const body = { open, wakeIntervalUs: null, watch: null };
    await scene.guard.take(await frame({ kind: "policy", body }, { number: number + 1 }));
    assertEquals(scene.last.results.at(-1)?.outcome, "done");
    scene.restart({ killed: true });
    assertEquals(scene.guard.state.policy, body);
  }
});

Deno.test("Guard has a number on the disk before it acts, so that a crash repeats nothing", async () => {
  await using scene = await GuardScene.open();
  const order = await frame(RULES, { number: 7 });
  scene.failing = new ImmuneError("INTERNAL", "Cannot");
  await scene.guard.take(order);
  assertEquals(scene.last.results.at(-1)?.outcome, "failed");
  scene.failing = undefined;
  scene.restart({ killed: true });
  assertEquals(scene.guard.state.highest.directive, 7);
  await scene.guard.take(order);
  assertEquals([scene.acts, scene.last.refused.replay], [[], 1]);
});

Deno.test("Guard says of what an ended process left open that it was not carried out", async () => {
  await using scene = await GuardScene.open();
  const { promise, resolve } = Promise.withResolvers<string>();
  const isHere = Promise.withResolvers<void>();
  // The act hangs: what is on the disk is what a process that was killed would leave.
  using hanging = await hangingScene(() => {
    isHere.resolve();
    return promise;
  });
  const taken = hanging.scene.guard.take(await frame(RULES, { number: 3 }));
  await isHere.promise;
  const kept = await Deno.readTextFile(`${hanging.scene.folder}/command.json`);
  await Deno.writeTextFile(`${scene.folder}/command.json`, kept);
  scene.restart({ killed: true });
  scene.guard.start();
  const [result] = scene.last.results;
  assertEquals([result?.number, result?.outcome, scene.guard.state.pending], [3, "failed", []]);
  resolve("");
  await taken;
});

async function hangingScene(
  rules: () => Promise<string>,
): Promise<Disposable & { readonly scene: GuardScene }> {
  const nothing = (): void => {};
  const done = (): Promise<string> => Promise.resolve("");
  const scene = await GuardScene.open({
    acts: {
      rules,
      policy: done,
      antibodies: done,
      sensor: done,
      blocking: nothing,
      askCanary: nothing,
      report: nothing,
      cursor: nothing,
      warn: nothing,
    },
  });
  return { scene, [Symbol.dispose]: () => scene.guard[Symbol.dispose]() };
}

Deno.test("Guard keeps a stop over a restart, and lifts it", async () => {
  await using scene = await GuardScene.open();
  await scene.guard.take(await frame(STOP, { number: 1 }));
  scene.restart({ killed: true });
  assertEquals(scene.guard.state.stopped, true);
  const lift = { kind: "stop", body: { action: "lift" } } as const;
  await scene.guard.take(await frame(lift, { number: 2 }));
  scene.restart({ killed: true });
  assertEquals([scene.guard.state.stopped, scene.acts], [false, ["stop", "lift"]]);
});

Deno.test("Guard holds an order to the time of its arrival, and a stop waits behind none", async () => {
  const isHere = Promise.withResolvers<void>();
  const { promise, resolve } = Promise.withResolvers<string>();
  using hanging = await hangingScene(() => {
    isHere.resolve();
    return promise;
  });
  const { guard, clock, folder } = hanging.scene;
  const first = await frame(RULES, { number: 1 });
  const rules = guard.take(first);
  await isHere.promise;
  // The same once more is the same: a line that begins anew gives what is not over again.
  assertEquals(guard.take(first), rules);
  const late = guard.take(await frame({ kind: "rules", body: { pack: null } }, { number: 2 }));
  await guard.take(await frame(STOP, { number: 9 }));
  assertEquals(guard.state.stopped, true);
  assertEquals(guard.state.pending.map(({ number }) => number), [1]);
  const lift = { kind: "stop", body: { action: "lift" } } as const;
  await guard.take(await frame(lift, { number: 8 }));
  assertEquals([guard.state.refused.reorder, guard.state.stopped], [1, true]);
  clock.advance(61_000);
  await guard.take(await frame(STOP, { number: 10 }));
  assertEquals(guard.state.refused.expired, 1);
  resolve("");
  await Promise.all([rules, late]);
  const { highest, results, pending } = guard.state;
  assertEquals([highest, pending], [{ directive: 2, canary: 0, stop: 9 }, []]);
  assertEquals(results.map(({ number, outcome }) => `${number} ${outcome}`), [
    "9 done",
    "8 refused",
    "10 refused",
    "1 done",
    "2 done",
  ]);
  assertEquals(JSON.parse(await Deno.readTextFile(`${folder}/command.json`)).stopped, true);
});

Deno.test("Guard: a drill does not stop", async () => {
  await using scene = await GuardScene.open();
  await scene.guard.take(await frame({ kind: "stop", body: { action: "drill" } }));
  assertEquals([scene.guard.state.stopped, scene.acts], [false, ["drill"]]);
});

Deno.test("Guard takes the directive key's successor from the old one alone", async () => {
  await using scene = await GuardScene.open();
  const next = await signingKey(newSeed());
  const successor = { directive: next.publicKey.toHex(), stop: null };
  await scene.guard.take(await frame({ kind: "keys", body: successor }, { key: next }));
  assertEquals(scene.last.refused.bad_signature, 1);
  await scene.guard.take(await frame({ kind: "keys", body: successor }));
  await scene.guard.take(await frame(RULES, { number: 2 }));
  assertEquals([scene.last.refused.bad_signature, scene.acts], [2, []]);
  await scene.guard.take(await frame(RULES, { number: 2, key: next }));
  assertEquals(scene.acts, ["rules cdcd"]);
});

Deno.test("Guard takes a first stop key, and another one from the old one alone", async () => {
  await using scene = await GuardScene.open({ trust: { ...TRUST, stopKey: null } });
  await scene.guard.take(await frame(STOP));
  assertEquals(scene.last.refused.bad_signature, 1);
  const key = stopKey.publicKey.toHex();
  const first = { directive: null, stop: { key, signature: null } };
  await scene.guard.take(await frame({ kind: "keys", body: first }));
  await scene.guard.take(await frame(STOP));
  assertEquals(scene.acts, ["stop"]);
  const other = await signingKey(newSeed());
  const successor = other.publicKey.toHex();
  const forged = await other.sign("stop key successor", stopKeySuccession(FLEET, successor));
  for (const [i, signature] of [null, forged.toHex()].entries()) {
    const stop = { key: successor, signature };
    await scene.guard.take(
      await frame({ kind: "keys", body: { directive: null, stop } }, { number: 2 + i }),
    );
    assertEquals([scene.last.results.at(-1)?.outcome, scene.guard.state.keys.stop], [
      "failed",
      key,
    ]);
  }
  const signed = await stopKey.sign("stop key successor", stopKeySuccession(FLEET, successor));
  const stop = { key: successor, signature: signed.toHex() };
  await scene.guard.take(
    await frame({ kind: "keys", body: { directive: null, stop } }, { number: 5 }),
  );
  assertEquals(scene.guard.state.keys.stop, successor);
});

Deno.test("Guard counts junk without keeping it, and goes on", async () => {
  await using scene = await GuardScene.open();
  for (let i = 0; i < 100; i++) await scene.guard.take(new Uint8Array(300));
  assertEquals([scene.last.refused.malformed, scene.last.results], [100, []]);
  await scene.guard.take(await frame(RULES));
  assertEquals(scene.acts.length, 1);
  scene.restart({ killed: true });
  assertEquals(scene.guard.state.refused.malformed, 100);
});

Deno.test("CommandFile ends on a damaged file instead of taking old orders again", async () => {
  await using scene = await GuardScene.open();
  await scene.guard.take(await frame(RULES));
  for (const text of ["", "{", '{"version":2}', "null"]) {
    await Deno.writeTextFile(`${scene.folder}/command.json`, text);
    const error = assertThrows(() => CommandFile.open(scene.folder, TRUST), ImmuneError);
    assertEquals(error.code, "STATE_UNUSABLE");
  }
  assert(directiveKey.publicKey.length === 32);
});
