import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { writePack } from "../../common/wire/mod.ts";
import { byHolders, openOrderingHive, STOP } from "../../tests/support/orders.ts";
import { NOON_MS } from "./_test_support.ts";

type Hive = Awaited<ReturnType<typeof openOrderingHive>>;

async function ask(
  { api, token }: Hive,
  path: string,
  body?: Uint8Array<ArrayBuffer> | object,
): Promise<{ readonly status: number; readonly answer: Record<string, unknown> }> {
  const response = await api.request(`/api/v1${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined
      ? {}
      : { body: body instanceof Uint8Array ? body : JSON.stringify(body) }),
  });
  return { status: response.status, answer: await response.json() };
}

const FILES = Array.from({ length: 25 }, (_, i) => ({
  name: `rule-${String(i).padStart(2, "0")}.yml`,
  text: `title: Rule ${i}\n`,
}));

Deno.test("whoever approves an order reads how long it holds and what is in its pack", async () => {
  await using hive = await openOrderingHive({ twoPerson: ["directive.send", "kill_switch.fire"] });
  const { answer: { pack } } = await ask(hive, "/rule-packs", writePack(FILES));
  assert(typeof pack === "string");
  const order = { kind: "rules", body: { pack } };
  assertEquals((await ask(hive, "/directives", { order, valid: "2h" })).status, 202);
  const [asked] = await hive.operators.approvals.list();
  const { holds_s, files, rules, read, host } = asked?.detail ?? {};
  assertEquals([holds_s, files, host], [7200, 25, "every host"]);
  assertStringIncludes(String(rules), "rule-00.yml rule-01.yml");
  assertStringIncludes(String(rules), "rule-19.yml and 5 more");
  const shown = await ask(hive, String(read).replace("/api/v1", ""));
  assertEquals(shown.answer["files"], FILES);
  assertEquals((await ask(hive, `/rule-packs/${"0".repeat(64)}`)).status, 404);
});

Deno.test("whoever approves a policy reads what it changes, in words", async () => {
  await using hive = await openOrderingHive({ twoPerson: ["directive.send"] });
  const body = { open: "wide", wakeIntervalUs: null, watch: ["/etc/a", "/etc/b /c"] };
  const order = { kind: "policy", body };
  assertEquals((await ask(hive, "/directives", { order })).status, 202);
  const [asked] = await hive.operators.approvals.list();
  assertEquals(asked?.detail, {
    host: "every host",
    holds_s: 60,
    opens: "wide",
    wakes: "as the host has it",
    watched_besides: '"/etc/a" "/etc/b /c"',
  });
});

Deno.test("whoever approves a stop reads until when it holds", async () => {
  await using hive = await openOrderingHive({ twoPerson: ["kill_switch.fire"] });
  await hive.commands.setStopKey(hive.stop.facts, { signature: null, by: "a test" });
  const body = { directive: await byHolders(hive, STOP) };
  assertEquals((await ask(hive, "/kill-switch/stops", body)).status, 202);
  const [asked] = await hive.operators.approvals.list();
  const expires = new Date(NOON_MS + 60_000).toISOString();
  assertEquals(asked?.detail, { action: "stop", number: NOON_MS, expires });
});

Deno.test("a pack that is sent is in the audit log by its hash", async () => {
  await using hive = await openOrderingHive();
  const { answer: { pack } } = await ask(hive, "/rule-packs", writePack(FILES.slice(0, 2)));
  assertEquals((await ask(hive, "/rule-packs", new Uint8Array([1]))).status, 400);
  const { entries } = hive.audit.read({ limit: 10 });
  const added = entries.filter(({ action }) => action === "pack.add");
  assertEquals(added.map(({ object, detail }) => [object, detail?.["files"]]), [[pack, 2]]);
});

Deno.test("a use of the kill switch is told of, behind however many other orders", async () => {
  await using hive = await openOrderingHive();
  await hive.commands.setStopKey(hive.stop.facts, { signature: null, by: "a test" });
  await ask(hive, "/kill-switch/stops", { directive: await byHolders(hive, STOP) });
  for (let orders = 0; orders < 257; orders++) {
    await hive.commands.send({ kind: "rules", body: { pack: null } }, { by: "a test" });
  }
  const { answer } = await ask(hive, "/kill-switch");
  assertEquals((answer["uses"] as { number: number }[]).map(({ number }) => number), [NOON_MS]);
});
