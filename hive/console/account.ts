import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import * as z from "zod";
import { ImmuneError } from "../../common/config/errors.ts";
import type { ApiContext, ApiEnv } from "../api/context.ts";
import { allow, sessionOf } from "../api/guards.ts";
import { addToken, apiTokenRequest, revokeToken } from "../api/tokens.ts";
import { checkPassword, personOf, ROLES } from "../operators/mod.ts";
import { type AccountNews, accountPage } from "./account_page.tsx";
import { formOf } from "./form.ts";
import { checkFresh } from "./fresh.ts";
import { addPasskeys } from "./passkeys.ts";
import { sourceOf, startSession } from "./session_cookie.ts";

const text = z.string().max(2000);
const firstForm = z.object({ name: text, password: text });
const passwordForm = z.object({ current: text.default(""), password: text });
const totpForm = z.object({ setup: z.string().max(100), code: z.string().max(100) });
const tokenForm = z.object({
  name: z.string().min(1).max(100),
  role: z.enum(ROLES),
  expires: apiTokenRequest.shape.expires,
});
const revokeForm = z.object({ id: z.uuid() });

type Act = (c: Context<ApiEnv>) => Promise<AccountNews>;

/**
 * Adds the page of the own account, and what can be changed on it.
 *
 * @param app Where to.
 * @param api What it works with.
 */
export function addAccount(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  const { people, accounts, signIns } = api.operators;
  addPasskeys(app, api);
  app.get("/account", async (c) => await show(c, {}));
  app.post("/account/first", allow("create", "users"), async (c) => {
    const { name, password } = await formOf(c, firstForm);
    checkPassword(password, name);
    const account = await people.add(c.get("principal"), { name, role: "admin" });
    const person = { id: account.id, name };
    const principal = { kind: "session", person, role: "admin", isFresh: true } as const;
    await people.setPassword(principal, { current: "", password });
    const session = await signIns.enter(await accounts.known(account.id), {
      method: "link",
      source: sourceOf(c),
    });
    await startSession(c, api, { session });
    return c.redirect("/account", 303);
  });
  for (const [path, act] of Object.entries(actsOf(api))) {
    app.post(`/account/${path}`, allow("change", "own_account"), async (c) => {
      try {
        checkFresh(c);
        return await show(c, await act(c));
      } catch (error) {
        if (!(error instanceof ImmuneError) || error.status >= 500) throw error;
        return await show(c, { problem: error.message }, error.status);
      }
    });
  }

  async function show(c: Context<ApiEnv>, news: AccountNews, status = 200): Promise<Response> {
    const principal = c.get("principal");
    const id = personOf(principal)?.id;
    const [account, tokens] = id === undefined
      ? [undefined, []]
      : await Promise.all([accounts.get(id), api.operators.tokens.list(id)]);
    return c.html(accountPage({ principal, account, tokens, news }), status as 200);
  }
}

function actsOf(api: ApiContext): Readonly<Record<string, Act>> {
  const { people } = api.operators;
  return {
    password: async (c) => {
      const form = await formOf(c, passwordForm);
      const session = sessionOf(c, api);
      const stays = session === undefined ? {} : { session };
      await people.setPassword(c.get("principal"), { ...form, ...stays });
      return { done: "The password is changed; all your other sessions ended" };
    },
    totp: async (c) => ({ setup: await people.startTotp(c.get("principal")) }),
    "totp/confirm": async (c) => ({
      done: "The authenticator app is set up",
      codes: await people.confirmTotp(c.get("principal"), await formOf(c, totpForm)),
    }),
    "totp/remove": async (c) => {
      await people.removeTotp(c.get("principal"));
      return { done: "The authenticator app is forgotten" };
    },
    recovery: async (c) => ({ codes: await people.renewRecovery(c.get("principal")) }),
    tokens: async (c) => {
      const asked = await formOf(c, tokenForm);
      const { text: token } = await addToken(api, c.get("principal"), { asked });
      return { token };
    },
    "tokens/revoke": async (c) => {
      await revokeToken(api, c.get("principal"), await formOf(c, revokeForm));
      return { done: "The token is revoked" };
    },
  };
}
