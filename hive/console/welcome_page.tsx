import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import { ASSETS } from "./assets.ts";

/** A page that leads on to the first page at once. */
export function welcomePage(): HtmlEscapedString | Promise<HtmlEscapedString> {
  return html`<!DOCTYPE html>${(
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="refresh" content="0;url=/" />
        <title>Signed in · Sentinel Immune</title>
        <link rel="stylesheet" href={ASSETS.css.path} />
      </head>
      <body>
        <main>
          <p>
            Signed in. <a href="/">To the first page</a>
          </p>
        </main>
      </body>
    </html>
  )}`;
}
