import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import * as z from "zod";
import { ImmuneError } from "../../common/config/errors.ts";
import type { ApiContext, ApiEnv } from "../api/context.ts";
import { allow } from "../api/guards.ts";
import { LOGIN_PATH } from "../api/paths.ts";
import { assertionSchema, PASSKEY_NAME_MAX, registrationSchema } from "../operators/mod.ts";
import { checkFresh } from "./fresh.ts";
import { formOf } from "./form.ts";
import { sourceOf, startSession } from "./session_cookie.ts";
import { siteOf } from "./site.ts";

const addBody = z.strictObject({
  name: z.string().trim().min(1).max(PASSKEY_NAME_MAX),
  credential: registrationSchema,
});
const signInBody = z.strictObject({ credential: assertionSchema });
const removeForm = z.object({ id: z.string().max(8192) });

/**
 * Adds the routes by which a page's script makes passkeys and signs in by them.
 *
 * @param app Where to.
 * @param api What they work with.
 */
export function addPasskeys(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  const { passkeys } = api.operators;
  app.post(`${LOGIN_PATH}/passkey/options`, allow("create", "login"), async (c) => {
    return c.json(await passkeys.beginSignIn(siteOf(c, api)) as object);
  });
  app.post(`${LOGIN_PATH}/passkey`, allow("create", "login"), async (c) => {
    const { credential } = await bodyOf(c, signInBody);
    const from = { site: siteOf(c, api), source: sourceOf(c) };
    await startSession(c, api, { session: await passkeys.signIn(credential, from) });
    return c.json({ done: true });
  });
  const own = allow("change", "own_account");
  app.post("/account/passkeys/options", own, async (c) => {
    checkFresh(c);
    return c.json(await passkeys.beginAdding(c.get("principal"), siteOf(c, api)) as object);
  });
  app.post("/account/passkeys", own, async (c) => {
    checkFresh(c);
    const { name, credential: response } = await bodyOf(c, addBody);
    await passkeys.add(c.get("principal"), { name, response, site: siteOf(c, api) });
    return c.json({ done: true });
  });
  app.post("/account/passkeys/remove", own, async (c) => {
    checkFresh(c);
    const { id } = await formOf(c, removeForm);
    await passkeys.remove(c.get("principal"), id);
    return c.redirect("/account", 303);
  });
}

async function bodyOf<T extends z.ZodType>(c: Context<ApiEnv>, schema: T): Promise<z.infer<T>> {
  const body: unknown = await c.req.json().catch(() => undefined);
  const found = schema.safeParse(body);
  if (found.success) return found.data;
  const { path = [], message = "" } = found.error.issues[0] ?? {};
  throw new ImmuneError("INPUT_MALFORMED", `Cannot take "${path.join(".")}": ${message}`);
}
