import { assert, assertEquals } from "@std/assert";
import { REFUSAL_CAUSES, type RefusalCause, type ResultReport } from "../../common/wire/mod.ts";
import { AGENT_ID, HOST_ID } from "../../hive/api/_test_support.ts";
import { byHolders, openOrderingHive, type OrderingHive, STOP } from "../support/orders.ts";
import {
  browserTest,
  type BrowserTestOptions,
  checkPage,
  type Setting,
  signIn,
} from "./_console.ts";

const NAME = "<b>gpu-02</b> \u202e" + "long-name-".repeat(8);
const OTHER = "22222222-2222-4333-8444-555555555555";

const NOTHING = Object.fromEntries(REFUSAL_CAUSES.map((cause) => [cause, 0])) as Record<
  RefusalCause,
  number
>;

/** The hive of the page. */
let ordering: OrderingHive | undefined;

const OPTIONS: BrowserTestOptions = {
  open: async (operators) => ordering = await openOrderingHive(operators),
};

async function open(setting: Setting): Promise<OrderingHive> {
  await signIn(setting);
  assert(ordering !== undefined);
  return ordering;
}

/** An order to all that one host followed and the other refused, and one to a single host. */
async function giveOrders(hive: OrderingHive): Promise<void> {
  const { commands, store, clock } = hive;
  await store.addAgent({ id: OTHER, hostId: "ef".repeat(32), hostName: NAME }, "98".repeat(32));
  const rules = { kind: "rules", body: { pack: null } } as const;
  const { number } = await commands.send(rules, { by: "ada and bob" });
  const said = (more: Partial<ResultReport["results"][number]>): ResultReport => ({
    results: [{
      sequence: 1,
      stream: "directive",
      number,
      kind: "rules",
      outcome: "done",
      cause: null,
      text: "rule set 0f0f active",
      timeMs: clock.nowMs(),
      ...more,
    }],
    refused: NOTHING,
    stopped: false,
    canary: "fresh",
  });
  await store.addReport(AGENT_ID, said({}));
  await store.addReport(OTHER, {
    ...said({ outcome: "refused", cause: "local_policy", text: "" }),
    refused: { ...NOTHING, local_policy: 1 },
  });
  await commands.send(rules, { host: HOST_ID, by: "ada" });
}

/** A stop that one host has followed; the other is silent. */
async function stopAll(hive: OrderingHive): Promise<void> {
  const { commands, store, stop, clock } = hive;
  await commands.setStopKey(stop.facts, { signature: null, by: "ada" });
  const bytes = Uint8Array.fromBase64(await byHolders(hive, STOP));
  const { number } = await commands.stop(bytes, "ada");
  await store.addReport(AGENT_ID, {
    results: [{
      sequence: 2,
      stream: "stop",
      number,
      kind: "stop",
      outcome: "done",
      cause: null,
      text: "sensor detached: 0 of 21 programs left",
      timeMs: clock.nowMs(),
    }],
    refused: NOTHING,
    stopped: true,
    canary: "warned",
  });
}

browserTest("directives: who ordered what, and what each host found", async (setting) => {
  const { page, complaints, served } = setting;
  const hive = await open(setting);
  await page.getByRole("link", { name: "Directives" }).click();
  await page.getByText("No order went out yet").waitFor();
  await giveOrders(hive);
  await page.reload();
  assertEquals(await page.locator("ol.plain > li").count(), 2);
  assert((await page.locator("ol.plain > li").first().innerText()).includes("rules for gpu-01"));
  await page.getByRole("link", { name: "rules for every host" }).click();
  const text = await page.locator("main").innerText();
  for (const part of ["ordered by ada and bob", "rule set 0f0f active", "refused: local policy"]) {
    assert(text.includes(part), `"${part}" is not in "${text}"`);
  }
  assert(text.includes("<b>gpu-02</b> \\u202elong-name-"), text);
  await page.goto(`${served.origin}/directives`);
  await page.getByRole("link", { name: "rules for gpu-01" }).click();
  const one = await page.locator("main").innerText();
  assert(one.includes("no answer yet") && !one.includes("gpu-02"), one);
  served.hive.clock.advance(60_000);
  await page.reload();
  assert((await page.locator("main").innerText()).includes("silent"));
  assertEquals(complaints, []);
}, OPTIONS);

browserTest("kill switch: key, drills and stops, and hosts, but never a share", async (setting) => {
  const { page, complaints } = setting;
  const hive = await open(setting);
  await page.getByRole("link", { name: "Kill switch" }).click();
  await page.getByText("There is no stop key").waitFor();
  await giveOrders(hive);
  await stopAll(hive);
  await page.reload();
  const text = await page.locator("main").innerText();
  for (
    const part of [
      "1 of 2 hosts have no sensor",
      "5 people hold a share each; 3 of them",
      hive.stop.facts.publicKey,
      "brought by ada",
      "stopped",
      "canary warned",
    ]
  ) assert(text.includes(part), `"${part}" is not in "${text}"`);
  const source = await page.content();
  assertEquals(source.includes("IMMUNE-SHARE"), false);
  for (const hash of hive.stop.facts.shareHashes) assertEquals(source.includes(hash), false);
  assertEquals(await page.locator("main button, main input").count(), 0);
  await page.getByRole("link", { name: "Stop", exact: true }).click();
  await page.getByText("sensor detached: 0 of 21 programs left").waitFor();
  assertEquals(complaints, []);
}, OPTIONS);

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1280, 360]) {
    browserTest(
      `orders are accessible and not too wide, ${colorScheme}, ${width} px`,
      async (setting) => {
        const { page, complaints, served } = setting;
        const hive = await open(setting);
        for (const path of ["/directives", "/kill-switch"]) {
          await page.goto(`${served.origin}${path}`);
          await checkPage(page, width);
        }
        await giveOrders(hive);
        await stopAll(hive);
        for (const path of ["/directives", "/directives/directive/1", "/kill-switch"]) {
          await page.goto(`${served.origin}${path}`);
          await checkPage(page, width);
        }
        assertEquals(complaints, []);
      },
      { ...OPTIONS, colorScheme, viewport: { width, height: 800 } },
    );
  }
}
