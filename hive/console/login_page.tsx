import type { HtmlEscapedString } from "hono/utils/html";
import { Field } from "./field.tsx";
import { page } from "./page.tsx";

/** What the login page shows. */
export interface LoginPageProps {
  /** Why the last attempt did not work; absent = there was none. */
  readonly problem?: string;
  /** Where signing in by an OpenID provider begins; absent = there is none. */
  readonly oidcPath: string | undefined;
}

/**
 * The login page.
 *
 * @param props What it shows.
 */
export function loginPage(
  { problem, oidcPath }: LoginPageProps,
): HtmlEscapedString | Promise<HtmlEscapedString> {
  return page({
    title: "Sign in",
    withPasskeys: true,
    children: (
      <section class="card narrow">
        <h1>Sign in</h1>
        {problem !== undefined && <p class="problem" role="alert">{problem}</p>}
        <form method="post" action="/login/password" class="stack">
          <Field name="name" label="Name" autocomplete="username" isFirst />
          <Field
            name="password"
            label="Password"
            type="password"
            autocomplete="current-password"
          />
          <Field
            name="totp"
            label="Code"
            autocomplete="one-time-code"
            hint="From your authenticator app, or a recovery code; leave it empty if you have none."
            isRequired={false}
          />
          <button type="submit">Sign in</button>
        </form>
        <button id="passkey-sign-in" class="quiet" type="button" hidden>Use a passkey</button>
        {oidcPath !== undefined && (
          <a class="button quiet" href={oidcPath}>Sign in with your organisation</a>
        )}
        <p id="passkey-problem" class="problem" role="alert" hidden />
        <details>
          <summary>With a login link or the operator token</summary>
          <form method="post" action="/login" class="stack">
            <p class="muted">
              Open the login link that the hive printed at its start, or paste the text of{" "}
              <code>operator.token</code> from the state folder.
            </p>
            <Field name="code" label="Login code or operator token" type="password" />
            <button type="submit">Sign in</button>
          </form>
        </details>
      </section>
    ),
  });
}
