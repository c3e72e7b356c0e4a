import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FakeClock } from "../../common/config/clock.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { NO_OWN_THINGS } from "../../common/herd/protected.ts";
import type { WantedAntibodies } from "../guards/guard.ts";
import { antibody, LIFE_MS, NOW_MS, setOf, TestHost, type TestSet } from "./_herd_test_support.ts";
import { antibodiesText, EXPIRY_LOOK_MS, HerdInForce } from "./herd_in_force.ts";
import { takeAntibodies } from "./take.ts";

const SHORT = antibody("path", "/var/tmp/short");
const LONG = antibody("path", "/var/tmp/long", { expiresMs: NOW_MS + 2 * LIFE_MS });

/** A host that takes antibodies, with a clock and a hive in the test's hand. */
class Scene implements AsyncDisposable {
  readonly clock = new FakeClock(NOW_MS);
  readonly fetched: string[] = [];
  readonly taken: (readonly string[])[] = [];
  hive: Map<string, Uint8Array> | undefined = new Map();
  wanted: WantedAntibodies = { fleet: null, host: null };
  readonly herd: HerdInForce;
  readonly host: TestHost;
  #again = Promise.withResolvers<void>();

  private constructor(host: TestHost) {
    this.host = host;
    this.herd = new HerdInForce({
      agent: host.agent,
      indicators: host.indicators,
      own: NO_OWN_THINGS,
      clock: this.clock,
      random: () => 1,
      fetchSet: (hash) => {
        this.fetched.push(hash);
        const bytes = this.hive?.get(hash);
        return bytes === undefined
          ? Promise.reject(new ImmuneError("HIVE_UNREACHABLE", "Cannot reach the hive"))
          : Promise.resolve(bytes);
      },
      again: async () => {
        await this.take(this.wanted).catch(() => {});
        this.#again.resolve();
      },
      take: (request) => Promise.resolve(takeAntibodies(request)),
    });
  }

  static async open(): Promise<Scene> {
    return new Scene(await TestHost.open());
  }

  order(fleet: TestSet): void {
    this.hive?.set(fleet.hash, fleet.bytes);
    this.wanted = { fleet: fleet.hash, host: null };
  }

  async take(wanted: WantedAntibodies): Promise<void> {
    this.taken.push((await this.herd.take(wanted)).ids);
  }

  /** Lets time pass until it is taken again. */
  async pass(milliseconds: number): Promise<void> {
    this.#again = Promise.withResolvers();
    for (let left = milliseconds; left > 0; left -= EXPIRY_LOOK_MS) {
      this.clock.advance(Math.min(left, EXPIRY_LOOK_MS));
    }
    await this.#again.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.herd[Symbol.dispose]();
    await this.host[Symbol.asyncDispose]();
  }
}

Deno.test("HerdInForce lets antibodies run out with the hive away", async () => {
  await using scene = await Scene.open();
  scene.order(setOf([SHORT, LONG]));
  await scene.take(scene.wanted);
  scene.hive = undefined;
  await scene.pass(LIFE_MS);
  await scene.pass(LIFE_MS);
  assertEquals(scene.taken.map((ids) => ids.length), [2, 1, 0]);
  assertEquals(scene.fetched.length, 1);
});

Deno.test("HerdInForce takes at last what it could not take when it was ordered", async () => {
  await using scene = await Scene.open();
  const set = setOf([LONG]);
  scene.wanted = { fleet: set.hash, host: null };
  await assertRejects(() => scene.take(scene.wanted), ImmuneError);
  assertEquals(scene.herd.isFailing, true);
  scene.order(set);
  await scene.pass(EXPIRY_LOOK_MS);
  assertEquals([scene.taken, scene.herd.isFailing], [[[LONG.id]], false]);
});

Deno.test("HerdInForce gets a set again that was damaged on this host's disk", async () => {
  await using scene = await Scene.open();
  const set = setOf([LONG]);
  scene.order(set);
  await scene.take(scene.wanted);
  scene.host.sets.add(set.hash, set.bytes.subarray(1));
  await scene.take(scene.wanted);
  assertEquals([scene.taken, scene.fetched], [[[LONG.id], [LONG.id]], [set.hash, set.hash]]);
});

Deno.test("antibodiesText() says what is active, by hashes and counts, and no less", () => {
  const wanted = { fleet: "a".repeat(64), host: null };
  const ruleIds = ["herd-1"];
  const taken = { ids: ["1", "2"], indicators: 1, ruleIds, refused: [], nextExpiryMs: null };
  const reloaded = { hash: "b".repeat(64), indicators: 7 };
  assertEquals(
    antibodiesText(taken, { wanted, inForce: new Set(ruleIds), reloaded }),
    `antibody sets ${"a".repeat(64)} and none active: 2 antibodies, as 1 indicators and 1 rules, ` +
      `0 refused; rule set ${"b".repeat(64)} and 7 indicators in force`,
  );
  const off = antibodiesText(taken, { wanted, inForce: new Set(ruleIds), reloaded: undefined });
  assertEquals(off.includes("are kept: the sensor is off"), true);
  const found = { wanted, inForce: new Set<string>(), reloaded };
  assertThrows(() => antibodiesText(taken, found), ImmuneError, "no rule of theirs is in force");
});
