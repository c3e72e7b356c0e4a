import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { ImmuneError } from "../../common/config/errors.ts";
import { accountView, INVITE_MS, ROLES } from "../operators/mod.ts";
import type { ApiContext, ApiEnv } from "./context.ts";
import { allow } from "./guards.ts";
import { LOGIN_PATH } from "./paths.ts";
import { answersOrAsked, reasonSchema } from "./two_person.ts";
import { answers, API_PATH, guarded, idPath, jsonBody } from "./route_parts.ts";

const count = z.int().nonnegative();

/** An account, as answers show it. */
export const userSchema = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(ROLES),
  disabled: z.boolean(),
  createdAt: z.string(),
  signedInAt: z.string().nullable(),
  password: z.boolean(),
  totp: z.boolean(),
  passkeys: count,
  recoveryCodes: count.openapi({ description: "that are left" }),
  oidcSubject: z.string().nullable(),
}).openapi("User");

/** Accounts. */
export const usersSchema = z.object({ users: z.array(userSchema) });

/** An account with the link that opens it. */
export const invitedSchema = z.object({
  user: userSchema,
  path: z.string().openapi({ description: "path and query of a link that signs in once" }),
  expiresInSeconds: count,
});

/** A new account. */
export const userRequest = z.strictObject({
  name: z.string().min(1).max(64),
  role: z.enum(ROLES),
  oidcSubject: z.string().min(1).max(255).optional(),
});

/** A change of an account; what is not named stays. */
export const userChange = z.strictObject({
  role: z.enum(ROLES).optional(),
  disabled: z.boolean().optional(),
  oidcSubject: z.string().min(1).max(255).nullable().optional(),
  reason: reasonSchema,
});

const PATH = `${API_PATH}/users`;

const listRoute = createRoute({
  method: "get",
  path: PATH,
  ...guarded(allow("read", "users")),
  responses: answers(usersSchema, "all accounts by name"),
});

const addRoute = createRoute({
  method: "post",
  path: PATH,
  ...guarded(allow("create", "users")),
  request: jsonBody(userRequest),
  responses: answers(invitedSchema, "the account, and the link that opens it once"),
});

const changeRoute = createRoute({
  method: "patch",
  path: `${PATH}/{id}`,
  ...guarded(allow("change", "users")),
  request: { params: idPath, ...jsonBody(userChange) },
  responses: answersOrAsked(userSchema, "the account as it is now"),
});

const resetRoute = createRoute({
  method: "post",
  path: `${PATH}/{id}/reset`,
  ...guarded(allow("change", "users")),
  request: { params: idPath },
  responses: answers(invitedSchema, "the account without its credentials, and a link into it"),
});

/**
 * Adds the routes of accounts.
 *
 * @param app Where to.
 * @param api What they work with.
 */
export function addUsers(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  const { people, accounts } = api.operators;
  const invited = (account: Parameters<typeof accountView>[0]): z.infer<typeof invitedSchema> => ({
    user: accountView(account),
    path: `${LOGIN_PATH}?code=${api.operators.addInvite(account)}`,
    expiresInSeconds: INVITE_MS / 1000,
  });
  app.openapi(listRoute, async (c) => {
    return c.json({ users: (await accounts.list()).map(accountView) }, 200);
  });
  app.openapi(addRoute, async (c) => {
    const account = await people.add(c.get("principal"), c.req.valid("json"));
    return c.json(invited(account), 200);
  });
  app.openapi(changeRoute, async (c) => {
    const { role, disabled, oidcSubject: subject, reason } = c.req.valid("json");
    const principal = c.get("principal");
    let account = await accounts.known(c.req.valid("param").id);
    if (role !== undefined && api.operators.takesTwo("user.role")) {
      if (disabled !== undefined || subject !== undefined) {
        const hint = "a role takes two people here; send it by itself";
        throw new ImmuneError(
          "INPUT_MALFORMED",
          `Cannot change "${account.name}" at once: ${hint}`,
        );
      }
      const { id } = await api.operators.approvals.ask(principal, {
        action: "user.role",
        object: `${account.name}: ${account.role} to ${role}`,
        payload: { account: account.id, role },
        ...(reason === undefined ? {} : { reason }),
      });
      return c.json({ request: id }, 202);
    }
    if (role !== undefined) account = await people.setRole(principal, account, { role });
    if (disabled !== undefined) {
      account = await people.setDisabled(principal, account, { disabled });
    }
    if (subject !== undefined) {
      account = await people.setOidcSubject(principal, account, { subject });
    }
    return c.json(accountView(account), 200);
  });
  app.openapi(resetRoute, async (c) => {
    const account = await accounts.known(c.req.valid("param").id);
    return c.json(invited(await people.reset(c.get("principal"), account)), 200);
  });
}
