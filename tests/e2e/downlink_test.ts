import { assert, assertEquals, assertRejects } from "@std/assert";
import { ImmuneError, SYSTEM_CLOCK } from "../../common/config/mod.ts";
import { Downlink, OrdersRefused } from "../../common/link/mod.ts";
import { readDirective } from "../../common/wire/mod.ts";
import { OpenDownlink, ordersOf } from "../support/downlink.ts";
import { TestHive } from "../support/intake.ts";
import { ConnectProxy } from "../support/proxy.ts";

const LOCAL = { kind: "rules", body: { pack: null } } as const;
const BY = { by: "a test" } as const;

Deno.test("downlink: an order reaches those whom it is for, signed and numbered", async () => {
  await using hive = await TestHive.start();
  const [a, b] = [await hive.enrol(), await hive.enrol()];
  await using downA = await OpenDownlink.of(hive, a);
  await using downB = await OpenDownlink.of(hive, b);
  const first = await hive.commands.send(LOCAL, { ...BY, host: a.hostId });
  const second = await hive.commands.send(LOCAL, BY);
  assertEquals([first.number, second.number], [1, 2]);
  assertEquals([await downA.named(), await downA.named()], ["directive 1", "directive 2"]);
  assertEquals(await downB.named(), "directive 2");
});

Deno.test("downlink: who comes back gets what it has not seen and still holds", async () => {
  await using hive = await TestHive.start();
  const agent = await hive.enrol();
  for (let i = 0; i < 4; i++) await hive.commands.send(LOCAL, BY);
  await using all = await OpenDownlink.of(hive, agent);
  assertEquals([await all.named(), await all.named()], ["directive 1", "directive 2"]);
  await using rest = await OpenDownlink.of(hive, agent, { after: { directive: 3 } });
  assertEquals(await rest.named(), "directive 4");
  await hive.commands.send(LOCAL, BY);
  assertEquals(await rest.named(), "directive 5");
});

Deno.test("downlink: many orders at once come in the order of their numbers", async () => {
  await using hive = await TestHive.start();
  const agent = await hive.enrol();
  const sent = Promise.all(Array.from({ length: 60 }, () => hive.commands.send(LOCAL, BY)));
  await using downlink = await OpenDownlink.of(hive, agent);
  await sent;
  for (let number = 1; number <= 60; number++) {
    assertEquals(await downlink.named(), `directive ${number}`);
  }
});

Deno.test("downlink goes through an HTTP proxy by CONNECT, and is opened again behind a cut", async () => {
  await using hive = await TestHive.start();
  await using proxy = new ConnectProxy();
  const agent = await hive.enrol();
  using orders = ordersOf(hive, agent, { proxy: proxy.url });
  let highest = 0;
  const got: number[] = [];
  const wake: (() => void)[] = [];
  const ending = new AbortController();
  const downlink = new Downlink({
    orders,
    clock: SYSTEM_CLOCK,
    random: () => 0.01,
    after: () => ({ directive: highest, canary: 0, stop: 0 }),
    onFrame: (bytes) => {
      const read = readDirective(bytes);
      assert(!("cause" in read));
      got.push(highest = read.directive.number);
      wake.shift()?.();
      return Promise.resolve();
    },
  });
  const running = downlink.run(ending.signal);
  const one = (): Promise<void> => new Promise((resolve) => wake.push(resolve));
  for (let i = 1; i <= 3; i++) {
    const came = one();
    await hive.commands.send(LOCAL, BY);
    await came;
    proxy.cut();
  }
  assertEquals(got, [1, 2, 3]);
  assert(proxy.targets.length >= 3);
  assertEquals(new Set(proxy.targets), new Set([`127.0.0.1:${hive.intake.port}`]));
  ending.abort();
  await running;
});

Deno.test("downlink ends when the certificate is revoked, and is not opened again", async () => {
  await using hive = await TestHive.start();
  const agent = await hive.enrol();
  const downlink = await OpenDownlink.of(hive, agent);
  const started = performance.now();
  await hive.store.revokeAgent(agent.id);
  assertEquals(await downlink.next(), undefined);
  assert(performance.now() - started < 20_000);
  await downlink[Symbol.asyncDispose]();
  using orders = ordersOf(hive, agent);
  const again = new Downlink({
    orders,
    clock: SYSTEM_CLOCK,
    after: () => ({ directive: 0, canary: 0, stop: 0 }),
    onFrame: () => Promise.resolve(),
  });
  const error = await assertRejects(() => again.run(AbortSignal.timeout(20_000)), ImmuneError);
  assertEquals(error.code, "CERTIFICATE_REFUSED");
});

Deno.test("downlink: a third one of the same agent ends the oldest", async () => {
  await using hive = await TestHive.start();
  const agent = await hive.enrol();
  await using first = await OpenDownlink.of(hive, agent);
  await using second = await OpenDownlink.of(hive, agent);
  await using _third = await OpenDownlink.of(hive, agent);
  assertEquals(await first.next(), undefined);
  await hive.commands.send(LOCAL, BY);
  assertEquals(await second.named(), "directive 1");
  const { downlinks, replaced } = await hive.counters();
  assertEquals([downlinks, replaced], [2, 1]);
});

Deno.test("canary: signed for the nonce that it was asked with, once a second", async () => {
  await using hive = await TestHive.start();
  await hive.commands.start();
  const agent = await hive.enrol();
  using orders = ordersOf(hive, agent);
  const nonce = "0123456789abcdef".repeat(2);
  const both = await Promise.allSettled([orders.canary(nonce), orders.canary(nonce)]);
  const given = both.filter((each) => each.status === "fulfilled");
  const refused = both.filter((each) => each.status === "rejected");
  assert(given[0] !== undefined && refused[0]?.reason instanceof OrdersRefused, `${both}`);
  const read = readDirective(given[0].value);
  assert(!("cause" in read) && read.directive.kind === "canary");
  assertEquals([read.directive.body.nonce, read.directive.number], [nonce, 1]);
  await assertRejects(() => orders.canary("x"), OrdersRefused);
  await using downlink = await OpenDownlink.of(hive, agent);
  assertEquals(await downlink.named(), "canary 1");
});
