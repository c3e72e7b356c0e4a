import type { Context } from "hono";
import type { z } from "zod";
import { ImmuneError } from "../../common/config/errors.ts";
import type { ApiEnv } from "../api/context.ts";

/**
 * What a form holds.
 *
 * @param c The request.
 * @param schema What it has to be.
 * @throws {ImmuneError} `INPUT_MALFORMED`, and names the field.
 */
export async function formOf<T extends z.ZodType>(
  c: Context<ApiEnv>,
  schema: T,
): Promise<z.infer<T>> {
  const fields = await c.req.parseBody().catch((cause: unknown) => {
    throw new ImmuneError("INPUT_MALFORMED", "Cannot read the form: it is malformed", { cause });
  });
  const found = schema.safeParse(fields);
  if (found.success) return found.data;
  const { path = [], message = "" } = found.error.issues[0] ?? {};
  throw new ImmuneError("INPUT_MALFORMED", `Cannot take "${path.join(".")}": ${message}`);
}
