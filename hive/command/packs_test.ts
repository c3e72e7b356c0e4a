import { assert, assertEquals, assertThrows } from "@std/assert";
import { FakeClock, ImmuneError } from "../../common/config/mod.ts";
import { writePack } from "../../common/wire/mod.ts";
import { AntibodySetFiles } from "./antibody_sets.ts";
import { PackFiles, PACKS_FOLDER, PACKS_KEPT } from "./packs.ts";

const HOUR_MS = 3_600_000;

/** A pack that no other number has. */
function pack(number: number): Uint8Array {
  return writePack([{ name: "a.yml", text: `title: ${number}` }]);
}

/** Packs in a folder of their own, and a clock that goes on by a second with each that is added. */
async function withPacks(
  test: (scene: { add(number: number): string; packs: PackFiles; clock: FakeClock }) => void,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const clock = new FakeClock(1_800_000_000_000);
  const packs = new PackFiles(folder);
  const add = (number: number): string => {
    clock.advance(1000);
    return packs.add(pack(number), clock);
  };
  try {
    test({ add, packs, clock });
    assert([...Deno.readDirSync(`${folder}/${PACKS_FOLDER}`)].length <= PACKS_KEPT);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("PackFiles lets the oldest go, but none that is on its way to hosts", () =>
  withPacks(({ add, packs, clock }) => {
    const [held, old] = [add(-2), add(-1)];
    packs.hold(held, clock.nowMs() + HOUR_MS);
    for (let number = 0; number < PACKS_KEPT - 1; number++) add(number);
    assert(packs.get(held) !== undefined, "an order names it");
    assertEquals(packs.get(old), undefined);
    clock.advance(HOUR_MS);
    add(PACKS_KEPT);
    assert(packs.get(held) !== undefined, "it is the newest of those that nobody needs");
    for (let number = 0; number < PACKS_KEPT; number++) add(100 + number);
    assertEquals(packs.get(held), undefined);
  }));

Deno.test("PackFiles takes no more than there is room for beside what is on its way", () =>
  withPacks(({ add, packs, clock }) => {
    const hashes = Array.from({ length: PACKS_KEPT }, (_, number) => add(number));
    for (const hash of hashes) packs.hold(hash, clock.nowMs() + HOUR_MS);
    const error = assertThrows(() => add(PACKS_KEPT), ImmuneError);
    assertEquals(error.code, "RATE_LIMITED");
    assertEquals(add(0), hashes[0], "it is there already");
    clock.advance(HOUR_MS);
    assert(packs.get(add(PACKS_KEPT)) !== undefined);
  }));

Deno.test("PackFiles holds a pack that is sent once more as long as before", () =>
  withPacks(({ add, packs, clock }) => {
    const hash = add(0);
    packs.hold(hash, clock.nowMs() + HOUR_MS);
    assertEquals(add(0), hash);
    for (let number = 1; number <= PACKS_KEPT; number++) add(number);
    assert(packs.get(hash) !== undefined);
  }));

Deno.test("AntibodySetFiles has no set that is no longer what its name says", async () => {
  const folder = await Deno.makeTempDir();
  const sets = new AntibodySetFiles(folder);
  const hash = sets.add(new TextEncoder().encode('{"antibodies":[]}'));
  assert(sets.get(hash) !== undefined);
  await Deno.truncate(`${folder}/antibodies/${hash}`, 7);
  assertEquals([sets.get(hash), sets.get("../../etc/passwd")], [undefined, undefined]);
  sets.keepOnly(new Set());
  assertEquals([...Deno.readDirSync(`${folder}/antibodies`)], []);
  await Deno.remove(folder, { recursive: true });
});
