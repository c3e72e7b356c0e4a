import type { HtmlEscapedString } from "hono/utils/html";
import { page } from "./page.tsx";

/**
 * A page that says one thing.
 *
 * @param title What.
 * @param text In a sentence.
 */
export function messagePage(
  title: string,
  text: string,
): HtmlEscapedString | Promise<HtmlEscapedString> {
  return page({
    title,
    children: (
      <section class="card narrow">
        <h1>{title}</h1>
        <p>{text}</p>
        <p>
          <a href="/">To the first page</a>
        </p>
      </section>
    ),
  });
}
