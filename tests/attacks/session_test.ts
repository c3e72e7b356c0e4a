import { PASSWORD } from "../../hive/operators/_test_support.ts";
import { LOCK_AFTER_FAILURES, LOGIN_FAILURES_MAX, newSecret } from "../../hive/operators/mod.ts";
import { totpCode } from "../../hive/operators/totp.ts";
import { onHive, type Target } from "./_browser.ts";
import { type Attack, attackTable } from "./table.ts";

const ADD = { name: "eve", role: "admin" };
const LOGIN = { name: "ada", password: PASSWORD };

function addEve({ hears, session }: Target, headers: Record<string, string>): Promise<string> {
  return hears("/users", { fields: ADD, session, origin: null, headers });
}

/** Code of ada's authenticator app, which is set up; the clock is a step further. */
async function withApp({ hive }: Target): Promise<() => string> {
  const account = await hive.operators.accounts.known("ada");
  const person = { id: account.id, name: account.name };
  const ada = { kind: "session", person, role: "admin", isFresh: true } as const;
  const { setup, secret } = await hive.operators.people.startTotp(ada);
  const code = (): string => totpCode(secret, hive.clock.nowMs());
  await hive.operators.people.confirmTotp(ada, { setup, code: code() });
  hive.clock.advance(30_000);
  return code;
}

function logIn({ hears }: Target, fields: Record<string, string>): Promise<string> {
  return hears("/login/password", { fields: { ...LOGIN, ...fields } });
}

const FORGED: readonly Attack<Target>[] = [
  {
    tries: "a page of elsewhere posts a form with the victim's cookie",
    refused: "403 FORBIDDEN",
    attempt: (target) => addEve(target, { origin: "https://evil.example" }),
  },
  {
    tries: "a sandboxed frame posts it, whose origin is null",
    refused: "403 FORBIDDEN",
    attempt: (target) => addEve(target, { origin: "null" }),
  },
  {
    tries: "a page on another port of the same host posts it",
    refused: "403 FORBIDDEN",
    attempt: (target) => addEve(target, { origin: "http://localhost:8080" }),
  },
  {
    tries: "a request comes without an origin, from another site",
    refused: "403 FORBIDDEN",
    attempt: (target) => addEve(target, { "sec-fetch-site": "cross-site" }),
  },
  {
    tries: "a request comes without an origin, from a sibling of the site",
    refused: "403 FORBIDDEN",
    attempt: (target) => addEve(target, { "sec-fetch-site": "same-site" }),
  },
  {
    tries: "a request comes with nothing that says where from",
    refused: "403 FORBIDDEN",
    attempt: (target) => addEve(target, {}),
  },
  {
    tries: "the API is posted to with the cookie, from elsewhere",
    refused: "403 FORBIDDEN",
    attempt: ({ hears, session }) =>
      hears("/api/v1/users", { json: ADD, session, origin: "https://evil.example" }),
  },
  {
    tries: "a page of elsewhere signs the victim in to the attacker's account",
    refused: "403 FORBIDDEN",
    attempt: ({ hears }) =>
      hears("/login/password", { fields: LOGIN, origin: "https://evil.example" }),
  },
  {
    tries: "a form names another method to get past the check",
    refused: "404 NOT_FOUND",
    attempt: ({ hears, session }) =>
      hears("/users/ada", {
        fields: { _method: "PATCH", role: "viewer" },
        session,
        headers: { "x-http-method-override": "PATCH" },
      }),
  },
];

const SESSIONS: readonly Attack<Target>[] = [
  {
    tries: "a session that the attacker planted before the victim signed in",
    refused: "303 without a code, then 401 AUTH_REQUIRED",
    attempt: async ({ send, hears }) => {
      const planted = newSecret();
      const { status } = await send("/login/password", { fields: LOGIN, session: planted });
      return `${status} without a code, then ${await hears("/api/v1/status", {
        session: planted,
      })}`;
    },
  },
  {
    tries: "the session from before a second sign-in",
    refused: "401 AUTH_REQUIRED",
    attempt: async ({ send, hears, session }) => {
      await send("/login/password", { fields: LOGIN, session });
      return await hears("/api/v1/status", { session });
    },
  },
  {
    tries: "a session after the sign-out",
    refused: "401 AUTH_REQUIRED",
    attempt: async ({ send, hears, session }) => {
      await send("/logout", { method: "POST", session });
      return await hears("/api/v1/status", { session });
    },
  },
  {
    tries: "a session that nobody used for an hour, kept awake by a page that renews itself",
    refused: "401 AUTH_REQUIRED",
    attempt: async ({ send, hears, session, hive }) => {
      for (let i = 0; i < 60; i++) {
        hive.clock.advance(60_000);
        await send("/overview", { session, headers: { "hx-request": "true" } });
      }
      return await hears("/api/v1/status", { session });
    },
  },
  {
    tries: "a browser that was left open changes the password",
    refused: "403 without a code",
    attempt: ({ hears, session, hive }) => {
      hive.clock.advance(20 * 60_000);
      const fields = { current: PASSWORD, password: "a password of the attacker" };
      return hears("/account/password", { fields, session });
    },
  },
  {
    tries: "a stolen cookie changes the password without knowing it",
    refused: "403 without a code",
    attempt: ({ hears, session }) =>
      hears("/account/password", {
        fields: { current: "a guess at it", password: "a password of the attacker" },
        session,
      }),
  },
  {
    tries: "the cookie of plain HTTP where TLS is there",
    refused: "401 AUTH_REQUIRED",
    attempt: ({ hears, session }) => hears("https://localhost/api/v1/status", { session }),
  },
];

const GUESSES: readonly Attack<Target>[] = [
  {
    tries: "the password is guessed from ever other addresses",
    refused: "429 RATE_LIMITED",
    attempt: async (target) => {
      let heard = "";
      for (let i = 0; i <= LOCK_AFTER_FAILURES; i++) {
        heard = await target.hive.operators
          .signInByPassword({ ...LOGIN, password: "x", code: "" }, `10.0.0.${i}`)
          .then(() => "in", ({ status, code }) => `${status} ${code}`);
      }
      return heard;
    },
  },
  {
    tries: "login codes are guessed from one address",
    refused: "429 RATE_LIMITED",
    attempt: async ({ hears }) => {
      for (let i = 0; i < LOGIN_FAILURES_MAX; i++) {
        await hears("/login", { fields: { code: newSecret() } });
      }
      return await hears("/login", { fields: { code: newSecret() } });
    },
  },
  {
    tries: "an unknown name is told from a known one by the answer",
    refused: "401 AUTH_REQUIRED = 401 AUTH_REQUIRED",
    attempt: async (target) =>
      `${await logIn(target, { password: "x" })} = ${await logIn(target, { name: "nobody" })}`,
  },
  {
    tries: "the password and a NUL, which scrypt takes for the same",
    refused: "401 AUTH_REQUIRED",
    attempt: (target) => logIn(target, { password: `${PASSWORD}\0` }),
  },
  {
    tries: "a password without the app's code",
    refused: "401 AUTH_REQUIRED",
    attempt: async (target) => {
      await withApp(target);
      return await logIn(target, {});
    },
  },
  {
    tries: "a code of the app that was seen is used again",
    refused: "303 without a code, then 401 AUTH_REQUIRED",
    attempt: async (target) => {
      const totp = (await withApp(target))();
      return `${await logIn(target, { totp })}, then ${await logIn(target, { totp })}`;
    },
  },
  {
    tries: "codes of the app are guessed, the password known",
    refused: "429 RATE_LIMITED",
    attempt: async (target) => {
      await withApp(target);
      for (let i = 0; i < LOCK_AFTER_FAILURES; i++) await logIn(target, { totp: `00000${i}` });
      return await logIn(target, { totp: "000009" });
    },
  },
  {
    tries: "a login link is used a second time",
    refused: "401 AUTH_REQUIRED",
    attempt: async ({ hears, hive }) => {
      const path = `/login?code=${hive.operators.addLoginCode()}`;
      await hears(path);
      return await hears(path);
    },
  },
  {
    tries: "the link into an account that was shut",
    refused: "401 AUTH_REQUIRED",
    attempt: async ({ hears, hive }) => {
      const account = await hive.operators.accounts.known("ada");
      const code = hive.operators.addInvite(account);
      await hive.operators.people.setDisabled({ kind: "token" }, account, { disabled: true });
      return await hears(`/login?code=${code}`);
    },
  },
  {
    tries: "a password of 16 KiB, to keep the hasher busy",
    refused: /^40[01] /,
    attempt: (target) => logIn(target, { password: "x".repeat(15_000) }),
  },
];

attackTable({ subject: "sessions", against: onHive }, [...FORGED, ...SESSIONS, ...GUESSES]);
