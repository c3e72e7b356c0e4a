import { type Browser, chromium, type Page } from "playwright-core";

/** Where Debian puts Chromium. */
const CHROMIUM_PATH = "/usr/bin/chromium";

/**
 * Whether a browser test can run here; what is missing is the reason in tests/skips.json.
 *
 * @returns True when there is a Chromium.
 */
export function hasChromium(): boolean {
  try {
    return Deno.statSync(CHROMIUM_PATH).isFile;
  } catch {
    return false;
  }
}

/** A browser that closes with its scope. */
export interface OpenBrowser extends AsyncDisposable {
  readonly browser: Browser;
}

/** Starts Chromium without a window. */
export async function openBrowser(): Promise<OpenBrowser> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM_PATH,
    // Root has no user namespace of its own to hide in, and the pages are ours.
    args: Deno.uid() === 0 ? ["--no-sandbox"] : [],
  });
  return {
    browser,
    async [Symbol.asyncDispose](): Promise<void> {
      await browser.close();
    },
  };
}

/** How Chromium ends requests of a page that is left; the page asked for them and needs no answer. */
const ABORTED = "net::ERR_ABORTED";

/**
 * Collects what a page complains about: errors, refused content, answers that are none.
 *
 * @param page The page.
 * @returns The complaints, as they come.
 */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => void complaints.push(error.message));
  page.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText;
    if (reason !== ABORTED) complaints.push(`${request.url()}: ${reason}`);
  });
  return complaints;
}
