import { assertEquals } from "@std/assert";
import { FakeClock } from "../../common/config/mod.ts";
import { OrdersRefused } from "../../common/link/orders.ts";
import type { ResultReport } from "../../common/wire/mod.ts";
import { directiveKey, frame, GuardScene } from "../guards/_guard_test_support.ts";
import { OrdersLink } from "./orders_link.ts";

/** Looks for what comes to pass by and by. */
const LOOKS_MAX = 200;
const RULES = { kind: "rules", body: { pack: null } } as const;

/** A hive in the test's hand. */
class Hand {
  readonly clock = new FakeClock();
  readonly warnings: string[] = [];
  readonly reports: ResultReport[] = [];
  failing = 0;
  /** So many connections are refused. */
  refusing = 0;
  asked = 0;
  /** Signs a canary. */
  canary: (nonce: string) => Promise<Uint8Array<ArrayBuffer>> = () =>
    Promise.reject(new OrdersRefused("none", { forbidden: false }));
  readonly #frames: Uint8Array<ArrayBuffer>[] = [];
  #isUp = false;
  #wake = Promise.withResolvers<void>();

  give(bytes: Uint8Array<ArrayBuffer>): void {
    this.#frames.push(bytes);
    this.#wake.resolve();
  }

  link(): OrdersLink {
    return new OrdersLink({
      clock: this.clock,
      random: () => 0.5,
      warn: (message) => void this.warnings.push(message),
      orders: {
        frames: (_after, signal) => this.#read(signal),
        canary: (nonce) => this.canary(nonce),
        report: (report) => {
          this.reports.push(report);
          return this.failing-- > 0 ? Promise.reject(new Error("no line")) : Promise.resolve();
        },
      },
    });
  }

  /** Ends the connection that is open. */
  hangUp(): void {
    this.#isUp = false;
    this.#wake.resolve();
  }

  async *#read(signal: AbortSignal): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
    this.asked++;
    if (this.refusing-- > 0) throw new OrdersRefused("who are you", { forbidden: true });
    this.#isUp = true;
    yield new Uint8Array(0);
    while (!signal.aborted && this.#isUp) {
      const next = this.#frames.shift();
      if (next !== undefined) {
        yield next;
        continue;
      }
      this.#wake = Promise.withResolvers();
      signal.addEventListener("abort", () => this.#wake.resolve(), { once: true });
      await this.#wake.promise;
    }
  }
}

/** Lets all that is ready happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) {
    // As slow as the signatures that are made and checked meanwhile, on threads of their own.
    await directiveKey.sign("canary", new Uint8Array());
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** Lets it happen until something is so; `pass` goes before each look. */
async function until(
  isSo: () => boolean,
  pass: () => void | Promise<void> = () => {},
): Promise<void> {
  for (let look = 0; !isSo(); look++) {
    if (look === LOOKS_MAX) throw new Error(`Not so after ${look} looks: ${isSo}`);
    await pass();
    await settle();
  }
}

function openScene(
  link: OrdersLink,
  rules = (): Promise<string> => Promise.resolve("rule set active"),
): Promise<GuardScene> {
  return GuardScene.open({
    acts: {
      rules,
      policy: () => Promise.resolve(""),
      antibodies: () => Promise.resolve(""),
      sensor: () => Promise.resolve(""),
      blocking: () => {},
      warn: () => {},
      ...link.acts,
    },
  });
}

Deno.test("OrdersLink tells a result until the hive has heard it, and then lets it go", async () => {
  const hand = new Hand();
  const link = hand.link();
  await using scene = await openScene(link);
  hand.failing = 2;
  scene.guard.start();
  const running = link.run(scene.guard);
  hand.give(await frame(RULES));
  await until(() => scene.guard.state.results.length > 0);
  assertEquals(scene.guard.state.results.length, 1);
  await until(() => scene.guard.state.results.length === 0, () => hand.clock.advance(2000));
  assertEquals(hand.reports.at(-1)?.results.map(({ text }) => text), ["rule set active"]);
  assertEquals(scene.guard.state.results, []);
  assertEquals(hand.warnings.filter((line) => line.includes("did not hear")).length, 1);
  link.end();
  await running;
});

Deno.test("OrdersLink asks for one canary at a time, at the hive's pace, and loses none that is pushed", async () => {
  const hand = new Hand();
  const link = hand.link();
  await using scene = await openScene(link);
  let number = 0;
  let [paceMs, refused] = [-Infinity, 0];
  hand.canary = async (nonce) => {
    const nowMs = hand.clock.monotonicMs();
    if (nowMs - paceMs < 1000) {
      refused++;
      throw new OrdersRefused("RATE_LIMITED: so many", { forbidden: false, limited: true });
    }
    paceMs = nowMs;
    return await frame({ kind: "canary", body: { nonce } }, { number: ++number });
  };
  const push = async (): Promise<void> =>
    hand.give(await frame({ kind: "canary", body: { nonce: null } }, { number: ++number }));
  scene.guard.start();
  const running = link.run(scene.guard);
  // What was pushed while the host was away comes at once.
  for (let i = 0; i < 3; i++) await push();
  await settle();
  for (let i = 0; i < 3; i++) {
    hand.clock.advance(1100);
    await settle();
  }
  await until(() => !scene.guard.canaryAsked);
  assertEquals([scene.guard.state.refused.replay, refused], [0, 0]);
  assertEquals(hand.warnings.filter((line) => line.includes("canary")), []);
  assertEquals(scene.guard.canaryAsked, false);
  link.end();
  await running;
});

Deno.test("OrdersLink takes an answer that comes right behind a pushed canary, and asks no more", async () => {
  const hand = new Hand();
  const link = hand.link();
  await using scene = await openScene(link);
  let asked = 0;
  hand.canary = async (nonce) => {
    asked++;
    void scene.guard.take(await frame({ kind: "canary", body: { nonce: null } }, { number: 1 }));
    return await frame({ kind: "canary", body: { nonce } }, { number: 2 });
  };
  scene.guard.start();
  const running = link.run(scene.guard);
  await until(() => asked > 0 && !scene.guard.canaryAsked);
  await settle();
  assertEquals([scene.guard.state.refused.replay, scene.guard.canaryAsked, asked], [0, false, 1]);
  link.end();
  await running;
});

Deno.test("OrdersLink gives up where it is refused time and again, but counts none before a line", async () => {
  const hand = new Hand();
  const link = hand.link();
  await using scene = await openScene(link);
  scene.guard.start();
  const running = link.run(scene.guard);
  let ended = "";
  running.catch((error) => ended = error.code);
  const pass = async (): Promise<void> => {
    await settle();
    hand.clock.advance(30_000);
    await settle();
  };
  // Two refusals before each of many lines: at each renewal there may be some.
  for (let line = 0; line < 3; line++) {
    hand.refusing = 2;
    hand.hangUp();
    await until(() => hand.refusing < 0 || ended !== "", pass);
    assertEquals([ended, hand.refusing < 0], ["", true], `line ${line}`);
  }
  hand.refusing = 3;
  hand.hangUp();
  await until(() => ended !== "", pass);
  assertEquals(ended, "CERTIFICATE_REFUSED");
});

Deno.test("OrdersLink reads a stop while another order is carried out, over a line that begins anew", async () => {
  const hand = new Hand();
  const link = hand.link();
  const { promise, resolve } = Promise.withResolvers<string>();
  let begun = 0;
  await using scene = await openScene(link, () => {
    begun++;
    return promise;
  });
  scene.guard.start();
  const running = link.run(scene.guard);
  const order = await frame(RULES);
  hand.give(order);
  await until(() => begun > 0);
  hand.hangUp();
  await settle();
  await until(() => hand.asked > 1, () => hand.clock.advance(60_000));
  hand.give(order);
  hand.give(await frame({ kind: "stop", body: { action: "stop" } }));
  await until(() => scene.guard.state.stopped);
  assertEquals([begun, hand.asked, scene.guard.state.stopped], [1, 2, true]);
  resolve("rule set active");
  await settle();
  assertEquals([begun, scene.guard.state.refused.replay], [1, 0]);
  link.end();
  await running;
});
