import { assert, assertEquals } from "@std/assert";
import axe from "axe-core/axe.min.js" with { type: "text" };
import type { BrowserContextOptions, Page } from "playwright-core";
import { openTestHive, type TestHive } from "../../hive/api/_test_support.ts";
import type { OperatorsOptions } from "../../hive/operators/mod.ts";
import { complaintsOf, hasChromium, openBrowser } from "./_browser.ts";
import { type ServedHive, serveTestHive } from "./_served_hive.ts";

/** A page of a browser of its own, and the hive that it looks at. */
export interface Setting {
  readonly served: ServedHive;
  readonly page: Page;
  /** What the browser complained about. */
  readonly complaints: readonly string[];
}

/** What differs from the default of browser and hive. */
export interface BrowserTestOptions extends BrowserContextOptions {
  readonly operators?: Partial<OperatorsOptions>;
  /** Makes the hive. Default: one that only shows what is stored. */
  readonly open?: (operators: Partial<OperatorsOptions> | undefined) => Promise<TestHive>;
}

/**
 * Defines a test in Chromium.
 *
 * @param name What it shows.
 * @param run The test.
 * @param options Of the browser, and of the hive's operators.
 */
export function browserTest(
  name: string,
  run: (setting: Setting) => Promise<void>,
  options: BrowserTestOptions = {},
): void {
  const { operators, open = (more) => openTestHive({}, more), ...context } = options;
  Deno.test({
    name: `console in Chromium: ${name}`,
    ignore: !hasChromium(),
    // The driver keeps its pipes for the next browser.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn(): Promise<void> {
      await using served = await serveTestHive(await open(operators));
      await using opened = await openBrowser();
      const made = await opened.browser.newContext({ reducedMotion: "reduce", ...context });
      const page = await made.newPage();
      const complaints = complaintsOf(page);
      await run({ served, page, complaints });
    },
  });
}

/**
 * Signs in by a login link.
 *
 * @param setting Which page.
 */
export async function signIn({ page, served }: Setting): Promise<void> {
  await page.goto(served.loginLink());
  await page.waitForURL(`${served.origin}/`);
}

/**
 * Holds a page against what holds for every page: no wider than the window, nothing that axe-core
 * finds.
 *
 * @param page The page.
 * @param width Of the window, in pixels.
 */
export async function checkPage(page: Page, width: number): Promise<void> {
  const found = await page.evaluate("document.documentElement.scrollWidth") as number;
  assert(found <= width, `${page.url()} is ${found} px wide`);
  // Run by the driver, so that the page's own policy can stay as strict as it is.
  await page.evaluate(axe);
  const violations = await page.evaluate(
    "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + " +
      "nodes.map(({ html }) => html.slice(0, 120)).join(' | ')))",
  );
  assertEquals([page.url(), violations], [page.url(), []]);
}
