import { z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import type { ApiEnv } from "./context.ts";
import { apiErrorSchema } from "./schemas.ts";

type Guard = MiddlewareHandler<ApiEnv>;

/** Where the API starts. */
export const API_PATH = "/api/v1";

const ERROR = {
  content: { "application/json": { schema: apiErrorSchema } },
  description: "what went wrong, with a stable code",
};

/** Answers of a route: the good one, and what every error looks like. */
// A type: the library asks for an index signature, which an interface has not.
export type Answers = {
  200: { content: { "application/json": { schema: z.ZodType } }; description: string };
  default: typeof ERROR;
};

/**
 * What a route answers.
 *
 * @param schema The good answer.
 * @param description What it is.
 */
export function answers(schema: z.ZodType, description: string): Answers {
  return {
    200: { content: { "application/json": { schema } }, description },
    default: ERROR,
  };
}

/**
 * What guards a route.
 *
 * @param guard Lets a request through, or not.
 */
export function guarded(
  guard: Guard,
): { middleware: Guard; security: { bearer: string[] }[] } {
  return { middleware: guard, security: [{ bearer: [] }] };
}

/**
 * A request's JSON body.
 *
 * @param schema What it has to be.
 */
export function jsonBody<T extends z.ZodType>(
  schema: T,
): { body: { required: true; content: { "application/json": { schema: T } } } } {
  return { body: { required: true, content: { "application/json": { schema } } } };
}

/** Path that ends with an id, or a name that stands for one. */
export const idPath = z.object({
  id: z.string().min(1).max(64).regex(/^[\w.@+-]+$/, "must be an id or a name"),
});

/** The answer of an act that gives nothing. */
export const doneSchema = z.object({ done: z.literal(true) });
