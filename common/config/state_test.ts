import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { ImmuneError } from "./errors.ts";
import { State } from "./state.ts";
import { statePaths } from "./state_paths.ts";

async function inFolder(test: (folder: string) => void): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "immune-state-" });
  try {
    test(`${folder}/state`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function mode(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & 0o777;
}

Deno.test("State.open() makes private folders and files", () =>
  inFolder((folder) => {
    using state = State.open(folder);
    state.nextEpoch();
    assertEquals([mode(folder), mode(state.paths.agent)], [0o700, 0o700]);
    assertEquals([mode(state.paths.epoch), mode(state.paths.lock)], [0o600, 0o600]);
  }));

Deno.test("State.open() refuses a folder that is locked, foreign, open to all, or no folder", () =>
  inFolder((folder) => {
    const refusal = (uid?: number): ImmuneError =>
      assertThrows(() => State.open(folder, uid === undefined ? {} : { uid }), ImmuneError);
    {
      using _state = State.open(folder);
      assertEquals(refusal().code, "STATE_LOCKED");
      assertStringIncludes(refusal().message, `pid ${Deno.pid}`);
    }
    const foreign = refusal((Deno.uid() ?? 0) + 1);
    assertEquals(foreign.code, "STATE_UNUSABLE");
    assertStringIncludes(foreign.message, "it belongs to uid");
    Deno.chmodSync(folder, 0o777);
    assertStringIncludes(refusal().message, `chmod o-w ${folder}`);
    Deno.removeSync(folder, { recursive: true });
    Deno.writeTextFileSync(folder, "");
    assertEquals(refusal().code, "STATE_UNUSABLE");
    Deno.removeSync(folder);
    Deno.mkdirSync(`${folder}-real`);
    Deno.symlinkSync(`${folder}-real`, folder);
    assertStringIncludes(refusal().message, "no folder of its own");
  }));

Deno.test("State.nextEpoch() counts on through restarts and over a torn replacement", () =>
  inFolder((folder) => {
    const next = (): number => {
      using state = State.open(folder);
      return state.nextEpoch();
    };
    assertEquals([next(), next(), next()], [1, 2, 3]);
    Deno.writeTextFileSync(`${statePaths(folder).epoch}.new`, "9");
    assertEquals(next(), 4);
  }));

Deno.test("State.nextEpoch() never gives an epoch again, count damaged", () =>
  inFolder((folder) => {
    const { epoch } = statePaths(folder);
    using state = State.open(folder);
    for (let i = 0; i < 5; i++) state.nextEpoch();
    for (const damage of ["", "4", "x\n", "99999999999\n", "\0\0\0\0"]) {
      Deno.writeTextFileSync(epoch, damage);
      const first = state.nextEpoch();
      assert(first > 1_600_000_000 && first <= 0xFFFF_FFFF, `after "${damage}"`);
      assertEquals(state.nextEpoch(), first + 1);
    }
  }));

Deno.test("State.hostId() is the SHA-256 of label and machine id", () =>
  inFolder((folder) => {
    const machineIdPath = `${folder}-machine-id`;
    Deno.writeTextFileSync(machineIdPath, "0123456789abcdef0123456789abcdef\n");
    using state = State.open(folder);
    assertEquals(
      state.hostId({ machineIdPath }),
      "bb2d67b3acaed0db6d979771684aac0a428a217978a4cd4b5cf4383778dc4cfe",
    );
  }));

Deno.test("State.hostId() keeps a random id where the host has none", () =>
  inFolder((folder) => {
    const machineIdPath = `${folder}-machine-id`;
    const seen = new Set<string>();
    for (const text of [undefined, "", "uninitialized\n"]) {
      if (text !== undefined) Deno.writeTextFileSync(machineIdPath, text);
      using state = State.open(folder);
      seen.add(state.hostId({ machineIdPath }));
      assertEquals(mode(state.paths.hostId), 0o600);
    }
    assertEquals(seen.size, 1);
    assertMatch([...seen].join(), /^[0-9a-f]{64}$/);
  }));
