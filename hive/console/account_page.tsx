import type { Child } from "hono/jsx";
import type { HtmlEscapedString } from "hono/utils/html";
import {
  type Account,
  type ApiToken,
  PASSWORD_CHARACTERS_MIN,
  type Principal,
  reaches,
  ROLES,
  type TotpSetup,
} from "../operators/mod.ts";
import { Choice, Field } from "./field.tsx";
import { moment, visible } from "./format.ts";
import { page } from "./page.tsx";

/** What came of the last change; shown once. */
export interface AccountNews {
  readonly done?: string;
  readonly problem?: string;
  readonly setup?: TotpSetup;
  readonly codes?: readonly string[];
  /** Text of a new API token. */
  readonly token?: string;
}

/** What the page of the own account shows. */
export interface AccountPageProps {
  readonly principal: Principal;
  /** Absent for the host's owner. */
  readonly account: Account | undefined;
  readonly tokens: readonly ApiToken[];
  readonly news: AccountNews;
}

/**
 * The page of the own account.
 *
 * @param props What it shows.
 */
export function accountPage(
  props: AccountPageProps,
): HtmlEscapedString | Promise<HtmlEscapedString> {
  const { principal, account, tokens, news } = props;
  return page({
    title: "Account",
    principal,
    path: "/account",
    withPasskeys: true,
    children: (
      <div class="detail">
        <h1>{account === undefined ? "Make your account" : visible(account.name)}</h1>
        <News news={news} />
        {account === undefined ? <First /> : (
          <>
            <p class="muted">{`Your role is ${account.role}.`}</p>
            <div class="sheets">
              <Password account={account} />
              <App account={account} setup={news.setup} />
              <Passkeys account={account} />
              <Tokens account={account} tokens={tokens} />
            </div>
          </>
        )}
      </div>
    ),
  });
}

function News({ news }: { readonly news: AccountNews }): Child {
  const { done, problem, codes, token } = news;
  return (
    <>
      {done !== undefined && <p class="done" role="status">{done}</p>}
      {problem !== undefined && <p class="problem" role="alert">{problem}</p>}
      {codes !== undefined && (
        <section class="card" aria-labelledby="codes-title">
          <h2 id="codes-title">Recovery codes</h2>
          <p class="muted">
            Each opens your account once without the app. They are shown now and never again: keep
            them where you keep no password.
          </p>
          <ul class="codes">{codes.map((code) => <li key={code}>{code}</li>)}</ul>
        </section>
      )}
      {token !== undefined && (
        <section class="card" aria-labelledby="token-title">
          <h2 id="token-title">New API token</h2>
          <p class="muted">It is shown now and never again.</p>
          <code class="command">{token}</code>
        </section>
      )}
    </>
  );
}

/** The host's owner came by a link, and has no account yet. */
function First(): Child {
  return (
    <section class="card">
      <p class="muted">
        You came by the host's own login link. With an account you sign in by yourself, your
        decisions carry your name, and you can add others.
      </p>
      <form method="post" action="/account/first" class="stack">
        <Field name="name" label="Name" autocomplete="username" />
        <NewPassword label="Password" />
        <button type="submit">Make account</button>
      </form>
    </section>
  );
}

function NewPassword({ label }: { readonly label: string }): Child {
  return (
    <Field
      name="password"
      label={label}
      type="password"
      autocomplete="new-password"
      hint={`At least ${PASSWORD_CHARACTERS_MIN} characters: four words are good.`}
    />
  );
}

function Password({ account }: { readonly account: Account }): Child {
  return (
    <section class="card" aria-labelledby="password-title">
      <h2 id="password-title">Password</h2>
      <form method="post" action="/account/password" class="stack">
        {account.password !== null && (
          <Field
            name="current"
            label="Present password"
            type="password"
            autocomplete="current-password"
          />
        )}
        <NewPassword label="New password" />
        <button type="submit">
          {account.password === null ? "Set password" : "Change password"}
        </button>
      </form>
    </section>
  );
}

function App({ account, setup }: {
  readonly account: Account;
  readonly setup: TotpSetup | undefined;
}): Child {
  const { totp, recovery } = account;
  return (
    <section class="card" aria-labelledby="app-title">
      <h2 id="app-title">Authenticator app</h2>
      {setup !== undefined
        ? <Setup setup={setup} />
        : totp === null
        ? (
          <form method="post" action="/account/totp" class="stack">
            <p class="muted">A second thing to have, besides the password to know.</p>
            <button type="submit">Set up an app</button>
          </form>
        )
        : (
          <div class="stack">
            <p>{`Set up. ${recovery.length} recovery codes are left.`}</p>
            <form method="post" action="/account/recovery">
              <button class="quiet" type="submit">New recovery codes</button>
            </form>
            <form method="post" action="/account/totp/remove">
              <button class="quiet" type="submit">Forget the app</button>
            </form>
          </div>
        )}
    </section>
  );
}

function Setup({ setup }: { readonly setup: TotpSetup }): Child {
  return (
    <form method="post" action="/account/totp/confirm" class="stack">
      <p>
        Put this secret into the app, or <a href={setup.uri}>open it there</a>:
      </p>
      <code class="command" id="totp-secret">{setup.secret}</code>
      <input type="hidden" name="setup" value={setup.setup} />
      <Field
        name="code"
        label="Code that the app shows"
        autocomplete="one-time-code"
        inputmode="numeric"
      />
      <button type="submit">Confirm</button>
    </form>
  );
}

function Passkeys({ account: { passkeys } }: { readonly account: Account }): Child {
  return (
    <section class="card" aria-labelledby="passkeys-title">
      <h2 id="passkeys-title">Passkeys</h2>
      <p id="passkey-problem" class="problem" role="alert" hidden />
      {passkeys.length > 0 && (
        <ul class="plain rows">
          {passkeys.map((passkey) => (
            <li key={passkey.id} class="row">
              <div>
                <strong>{visible(passkey.name)}</strong>
                <p class="note">{`for ${passkey.rpId}, since ${moment(passkey.createdAt)}`}</p>
              </div>
              <form method="post" action="/account/passkeys/remove">
                <input type="hidden" name="id" value={passkey.id} />
                <button class="quiet" type="submit">
                  Remove<span class="hidden">{` ${visible(passkey.name)}`}</span>
                </button>
              </form>
            </li>
          ))}
        </ul>
      )}
      <noscript>Passkeys need the page's script.</noscript>
      <form id="passkey-add" class="stack" hidden>
        <p class="muted">
          A key on this device or on a stick: it signs in by itself, and no page can steal it.
        </p>
        <Field name="name" id="passkey-name" label="What you call it" />
        <button type="submit">Add a passkey</button>
      </form>
    </section>
  );
}

function Tokens({ account, tokens }: {
  readonly account: Account;
  readonly tokens: readonly ApiToken[];
}): Child {
  return (
    <section class="card" aria-labelledby="tokens-title">
      <h2 id="tokens-title">API tokens</h2>
      {tokens.length > 0 && (
        <ul class="plain rows">
          {tokens.map((token) => (
            <li key={token.id} class="row">
              <div>
                <strong>{visible(token.name)}</strong>
                <p class="note">{`${token.role}, until ${moment(token.expiresAt)}`}</p>
              </div>
              <form method="post" action="/account/tokens/revoke">
                <input type="hidden" name="id" value={token.id} />
                <button class="quiet" type="submit">
                  Revoke<span class="hidden">{` ${visible(token.name)}`}</span>
                </button>
              </form>
            </li>
          ))}
        </ul>
      )}
      <form method="post" action="/account/tokens" class="stack">
        <Field name="name" id="token-name" label="What it is for" />
        <Choice
          name="role"
          id="token-role"
          label="What it may at most"
          values={ROLES.filter((role) => reaches(account.role, role))}
          value="viewer"
        />
        <Choice
          name="expires"
          id="token-expires"
          label="How long it holds"
          values={["1d", "30d", "90d", "365d"]}
          value="30d"
        />
        <button type="submit">Make token</button>
      </form>
    </section>
  );
}
