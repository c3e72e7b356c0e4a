import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { ImmuneError } from "../../common/config/errors.ts";
import {
  can,
  personOf,
  type Principal,
  reaches,
  recorded,
  roleOf,
  ROLES,
} from "../operators/mod.ts";
import type { ApiContext, ApiEnv } from "./context.ts";
import { DURATION, durationMs } from "./duration.ts";
import { allow } from "./guards.ts";
import { answers, API_PATH, doneSchema, guarded, idPath, jsonBody } from "./route_parts.ts";

/** An API token without its text. */
export const apiTokenSchema = z.object({
  id: z.string(),
  person: z.object({ id: z.string(), name: z.string() }),
  name: z.string(),
  role: z.enum(ROLES),
  createdAt: z.string(),
  expiresAt: z.string(),
}).openapi("ApiToken");

/** API tokens. */
export const apiTokensSchema = z.object({ tokens: z.array(apiTokenSchema) });

/** A new API token. */
export const addedTokenSchema = z.object({
  token: apiTokenSchema,
  text: z.string().openapi({ description: "shown this once" }),
});

/** What an API token is to be. */
export const apiTokenRequest = z.strictObject({
  name: z.string().min(1).max(100),
  role: z.enum(ROLES).openapi({ description: "what it may at most" }),
  expires: z.string().regex(DURATION, "must be a number with s, m, h or d, such as 30d")
    .openapi({ description: "how long it holds, at most 366d", example: "30d" }),
  user: z.string().min(1).max(64).optional()
    .openapi({ description: "whose; default: of whoever asks" }),
});

const PATH = `${API_PATH}/tokens`;

const listRoute = createRoute({
  method: "get",
  path: PATH,
  ...guarded(allow("read", "own_tokens")),
  responses: answers(apiTokensSchema, "the own API tokens; an admin gets all"),
});

const addRoute = createRoute({
  method: "post",
  path: PATH,
  ...guarded(allow("read", "own_tokens")),
  request: jsonBody(apiTokenRequest),
  responses: answers(addedTokenSchema, "the API token with its text"),
});

const revokeRoute = createRoute({
  method: "delete",
  path: `${PATH}/{id}`,
  ...guarded(allow("revoke", "own_tokens")),
  request: { params: idPath },
  responses: answers(doneSchema, "it is revoked"),
});

/**
 * Adds the routes of API tokens.
 *
 * @param app Where to.
 * @param api What they work with.
 */
export function addTokens(app: OpenAPIHono<ApiEnv>, api: ApiContext): void {
  const { tokens } = api.operators;
  app.openapi(listRoute, async (c) => {
    const principal = c.get("principal");
    const own = can(principal, "read", "tokens") ? undefined : personOf(principal)?.id ?? "";
    return c.json({ tokens: await tokens.list(own) }, 200);
  });
  app.openapi(addRoute, async (c) => {
    return c.json(await addToken(api, c.get("principal"), { asked: c.req.valid("json") }), 200);
  });
  app.openapi(revokeRoute, async (c) => {
    await revokeToken(api, c.get("principal"), { id: c.req.valid("param").id });
    return c.json({ done: true } as const, 200);
  });
}

/**
 * Makes an API token, one's own or, as an admin, another's.
 *
 * @param api What it works with.
 * @param principal Who asks.
 * @param options What is asked for.
 * @throws {ImmuneError} `FORBIDDEN` for more than whoever asks may, or for another's without right.
 */
export async function addToken(
  api: ApiContext,
  principal: Principal,
  options: { readonly asked: z.infer<typeof apiTokenRequest> },
): Promise<z.infer<typeof addedTokenSchema>> {
  const { operators, audit } = api;
  const { name, role, expires, user } = options.asked;
  const account = user === undefined
    ? await operators.people.own(principal)
    : await operators.accounts.known(user);
  const isOwn = personOf(principal)?.id === account.id;
  const least = roleOf(principal);
  if (!can(principal, "create", isOwn ? "own_tokens" : "tokens") || least === undefined) {
    // A program makes itself no other one that outlives it.
    throw new ImmuneError(
      "FORBIDDEN",
      "Cannot make token: sign in to the console to make your own",
    );
  }
  if (!reaches(least, role) || !reaches(account.role, role)) {
    throw new ImmuneError("FORBIDDEN", `Cannot make token: "${account.name}" is no ${role}`);
  }
  const act = {
    principal,
    action: "token.add",
    object: account.name,
    detail: { name, role, expires },
  };
  return await recorded(
    audit,
    act,
    () => operators.tokens.add(account, { name, role, lifetimeMs: durationMs(expires) }),
  );
}

/**
 * Revokes an API token, one's own or, as an admin, another's.
 *
 * @param api What it works with.
 * @param principal Who asks.
 * @param options Id of the token.
 * @throws {ImmuneError} `NOT_FOUND` for one that is not there or another's.
 */
export async function revokeToken(
  api: ApiContext,
  principal: Principal,
  options: { readonly id: string },
): Promise<void> {
  const { operators, audit } = api;
  const token = await operators.tokens.known(options.id);
  if (personOf(principal)?.id !== token.person.id && !can(principal, "revoke", "tokens")) {
    throw new ImmuneError(
      "NOT_FOUND",
      `Cannot find token "${options.id}": none of yours has this id`,
    );
  }
  const { id, name, person } = token;
  const act = { principal, action: "token.revoke", object: id, detail: { name, of: person.name } };
  await recorded(audit, act, () => operators.tokens.revoke(id));
}
