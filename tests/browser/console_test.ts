import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import {
  alertOf,
  healthRecord,
  processRecord,
  type TestProcess,
} from "../../hive/api/_test_support.ts";
import { browserTest, checkPage, signIn } from "./_console.ts";

const INIT: TestProcess = { pid: 1, bootS: 1, image: "/usr/lib/systemd/systemd", argv: ["init"] };
const SERVER: TestProcess = {
  pid: 2210,
  bootS: 300,
  parent: INIT,
  image: "/opt/vllm/bin/python3",
  argv: ["python3", "-m", "vllm.entrypoints.openai.api_server"],
};
const SHELL: TestProcess = {
  pid: 5123,
  bootS: 3401,
  parent: SERVER,
  image: "/usr/bin/bash",
  argv: ["bash", "-c", ": /dev/tcp/127.0.0.1/4444"],
};
const HOSTILE: TestProcess = {
  ...SHELL,
  pid: 6001,
  bootS: 3500,
  argv: [
    "x",
    '"><img src=x onerror="document.title=1"><script>document.title=1</script>',
    "\x1b[31m",
  ],
};

function tileText(page: Page, id: string): Promise<string> {
  return page.locator(`#${id} .figure`).innerText();
}

browserTest("a link signs in, and the tiles show what is stored", async (setting) => {
  const { page, served, complaints } = setting;
  const made = [processRecord("exec", SHELL), alertOf(SHELL).record, healthRecord()];
  await served.hive.deliver(made, [
    { cause: 1, kind: 18, source: 0x4000, certain: true, count: 45, first: 900 },
  ]);
  served.hive.clock.advance(60_000);
  await page.goto(served.origin);
  assertEquals(new URL(page.url()).pathname, "/login");
  await signIn(setting);
  assertEquals(await tileText(page, "agents-online"), "1");
  assertEquals(await tileText(page, "events-a-minute"), "1");
  assertEquals(await tileText(page, "threats-today"), "1");
  assertEquals(await tileText(page, "active-patterns"), "42");
  const agent = await page.locator(".agent").innerText();
  for (const part of ["gpu-01", "online", "48", "45", "ring full 45"]) {
    assert(agent.includes(part), `"${part}" is not in "${agent}"`);
  }
  assertEquals(complaints, []);
});

browserTest("a new alert appears by itself, as text and never as code", async (setting) => {
  const { page, served, complaints } = setting;
  await signIn(setting);
  await page.getByText("All quiet").waitFor();
  await page.evaluate("globalThis.sameDocument = true");
  await served.hive.deliver([alertOf(HOSTILE, { title: "<b>Bold</b> title" }).record]);
  const title = page.getByRole("link", { name: "<b>Bold</b> title" });
  await title.waitFor({ timeout: 60_000 });
  assertEquals(await page.evaluate("globalThis.sameDocument"), true);
  assertEquals(await tileText(page, "threats-today"), "1");
  const command = await page.locator(".command").innerText();
  assertEquals(command, HOSTILE.argv.join(" ").replace("\x1b", "\\u001b"));
  await title.click();
  await page.getByRole("heading", { name: "Process tree" }).waitFor();
  assertEquals(await page.locator("main img, main script, main b").count(), 0);
  assert(await page.title() !== "1");
  assertEquals(complaints, []);
});

browserTest("what has the focus keeps it while the page renews itself", async (setting) => {
  const { page, served } = setting;
  await served.hive.deliver([alertOf(SHELL).record]);
  await signIn(setting);
  const link = page.getByRole("link", { name: "Reverse shell by bash" });
  await link.focus();
  await served.hive.deliver([alertOf(HOSTILE, { title: "Second" }).record]);
  await page.getByRole("link", { name: "Second" }).waitFor({ timeout: 60_000 });
  assertEquals(await page.evaluate("document.activeElement.textContent"), "Reverse shell by bash");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Process tree" }).waitFor();
});

browserTest("an alert's page shows its process tree", async (setting) => {
  const { page, served, complaints } = setting;
  const child: TestProcess = {
    ...SHELL,
    pid: 5130,
    bootS: 3402,
    parent: SHELL,
    image: "/usr/bin/id",
  };
  await served.hive.deliver([
    processRecord("process", INIT),
    processRecord("process", SERVER),
    processRecord("exec", SHELL),
    processRecord("exec", child),
    alertOf(SHELL).record,
  ]);
  await signIn(setting);
  await page.getByRole("link", { name: "Reverse shell by bash" }).click();
  await page.getByRole("heading", { name: "Process tree" }).waitFor();
  assertEquals(await page.locator("ol.tree strong").allInnerTexts(), [
    INIT.image,
    SERVER.image,
    SHELL.image,
  ]);
  assertEquals(await page.locator("ul.tree strong").allInnerTexts(), ["/usr/bin/id"]);
  assertEquals(await page.locator(".subject .tag").innerText(), "raised the alert");
  assertEquals(complaints, []);
});

browserTest("keys alone lead to the content, to an alert and out", async (setting) => {
  const { page, served } = setting;
  await served.hive.deliver([alertOf(SHELL).record]);
  await signIn(setting);
  const focused = (): Promise<unknown> =>
    page.evaluate("document.activeElement.textContent.trim()");
  await page.keyboard.press("Tab");
  assertEquals(await focused(), "Skip to content");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assertEquals(await focused(), "Reverse shell by bash");
  await page.getByRole("button", { name: "Sign out" }).focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(`${served.origin}/login`);
  await page.goto(served.origin);
  assertEquals(new URL(page.url()).pathname, "/login");
});

browserTest("a page left open comes to the login page when its session ends", async (setting) => {
  const { page, served } = setting;
  await signIn(setting);
  served.hive.clock.advance(13 * 3_600_000);
  await page.waitForURL(`${served.origin}/login`, { timeout: 60_000 });
});

browserTest(
  "a hive that does not answer is said, and said no more when it does",
  async (setting) => {
    const { page } = setting;
    await signIn(setting);
    const notice = page.getByRole("alert");
    await page.route("**/overview", (route) => route.abort());
    await notice.waitFor({ state: "visible", timeout: 60_000 });
    await page.unroute("**/overview");
    await notice.waitFor({ state: "hidden", timeout: 60_000 });
  },
);

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1280, 360]) {
    browserTest(`accessible and not too wide, ${colorScheme}, ${width} px`, async (setting) => {
      const { page, served, complaints } = setting;
      const long = { ...SHELL, argv: ["bash", "-c", "a".repeat(3000)] };
      await served.hive.deliver([
        processRecord("process", SERVER),
        processRecord("exec", long),
        alertOf(long, { title: "T".repeat(200), severity: "critical" }).record,
        ...(["high", "medium", "low", "informational"] as const).map((severity, i) =>
          alertOf({ ...SHELL, pid: 7000 + i }, { severity }).record
        ),
      ], [{ cause: 5, kind: 0, source: 0, certain: false, count: 3_000_000, first: 1 }]);
      await page.goto(`${served.origin}/login`);
      await checkPage(page, width);
      await signIn(setting);
      await checkPage(page, width);
      await page.locator(".alert a").last().click();
      await page.getByRole("heading", { name: "Process tree" }).waitFor();
      await page.getByText("The whole alert").click();
      await checkPage(page, width);
      assertEquals(complaints, []);
    }, { colorScheme, viewport: { width, height: 800 } });
  }
}
