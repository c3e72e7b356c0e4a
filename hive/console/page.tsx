import type { Child } from "hono/jsx";
import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import type { Principal } from "../operators/mod.ts";
import { ASSETS } from "./assets.ts";
import { Nav } from "./nav.tsx";

/** What a page is made of. */
export interface PageProps {
  readonly title: string;
  /** Who is signed in: the page then has ways to others and out. */
  readonly principal?: Principal;
  /** True for a page that makes or asks for passkeys. Default: false. */
  readonly withPasskeys?: boolean;
  /** Its path, where the page is one of those that the navigation names. */
  readonly path?: string;
  readonly children?: Child;
}

/** Settings of htmx: it puts no style into a page and shows no error as content. */
const HTMX_CONFIG = JSON.stringify({
  includeIndicatorCSS: false,
  noSwap: [204, 304, "4xx", "5xx"],
  history: false,
  defaultTimeout: 10_000,
});

/**
 * A whole page as an answer holds it.
 *
 * @param props Title and content.
 * @returns Its HTML.
 */
export function page(props: PageProps): HtmlEscapedString | Promise<HtmlEscapedString> {
  return html`<!DOCTYPE html>${<Page {...props} />}`;
}

function Page({ title, principal, path, withPasskeys = false, children }: PageProps): Child {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="htmx-config" content={HTMX_CONFIG} />
        <title>{`${title} · Sentinel Immune`}</title>
        <link rel="icon" type="image/svg+xml" href={ASSETS.icon.path} />
        <link rel="stylesheet" href={ASSETS.css.path} />
        <script src={ASSETS.htmx.path} defer />
        <script src={ASSETS.live.path} defer />
        {withPasskeys && <script src={ASSETS.passkey.path} defer />}
      </head>
      <body>
        <a class="skip" href="#content">Skip to content</a>
        <header class="top">
          <a class="brand" href="/">
            <img src={ASSETS.icon.path} alt="" width="28" height="28" />
            <span>Sentinel Immune</span>
          </a>
          {principal !== undefined && <Nav principal={principal} path={path} />}
        </header>
        <p id="link-lost" class="notice" role="alert" hidden>
          The hive does not answer. What you see is the last it said; the page keeps trying.
        </p>
        <main id="content" tabindex={-1}>{children}</main>
      </body>
    </html>
  );
}
