import type { HtmlEscapedString } from "hono/utils/html";
import { page } from "./page.tsx";

/**
 * The login page.
 *
 * @param problem Why the last attempt did not work; absent = there was none.
 */
export function loginPage(problem?: string): HtmlEscapedString | Promise<HtmlEscapedString> {
  return page({
    title: "Sign in",
    signedIn: false,
    children: (
      <section class="card narrow">
        <h1>Sign in</h1>
        {problem !== undefined && <p id="problem" class="problem" role="alert">{problem}</p>}
        <p class="muted">
          Open the login link that the hive printed at its start, or paste the text of{" "}
          <code>operator.token</code> from the state folder.
        </p>
        <form method="post" action="/login" class="stack">
          <label for="code">Login code or operator token</label>
          <input
            id="code"
            name="code"
            type="password"
            autocomplete="off"
            autofocus
            required
            maxlength={200}
            aria-describedby={problem === undefined ? undefined : "problem"}
          />
          <button type="submit">Sign in</button>
        </form>
      </section>
    ),
  });
}
