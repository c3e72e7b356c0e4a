import type { MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { type Clock, ImmuneError } from "../../common/config/mod.ts";
import { PACK_BYTES_MAX } from "../../common/wire/mod.ts";
import { type Action, type ApiObject, can } from "../operators/mod.ts";
import type { ApiEnv } from "./context.ts";
import { PACKS_NEED, PACKS_PATH } from "./order_schemas.ts";

/** Longest body of a request, in bytes: a form, or a passkey. */
export const BODY_BYTES_MAX = 16 * 1024;
/** Longer ones, by the only path that takes them, from whoever may send them: a pack of rules. */
const LONGER: ReadonlyMap<string, LongBody> = new Map([
  [PACKS_PATH, { bytesMax: PACK_BYTES_MAX, needs: PACKS_NEED }],
]);

interface LongBody {
  readonly bytesMax: number;
  readonly needs: readonly [Action, ApiObject];
}

/** How long a request's body may take, in milliseconds. */
export const BODY_MS_MAX = 15_000;

/**
 * Reads a request's body once it is known who sends it, up to a bound, and not for ever: whoever
 * sends a byte a minute holds nothing but its own connection, and that not for long. A long body of
 * somebody who may not send it is not read at all; its route refuses it.
 *
 * @param clock Where the time comes from.
 */
export function wholeBody(clock: Clock): MiddlewareHandler<ApiEnv> {
  return createMiddleware<ApiEnv>(async (c, next) => {
    const { body, url, method, headers } = c.req.raw;
    const { bytesMax, needs } = LONGER.get(c.req.path) ?? { bytesMax: BODY_BYTES_MAX };
    const isRead = needs === undefined || can(c.get("principal"), ...needs);
    if (body !== null && isRead) {
      // Made of its parts: the signal of the server's own request is not to be touched.
      c.req.raw = new Request(url, {
        method,
        headers,
        body: await within(body, { clock, bytesMax }),
      });
    }
    await next();
  });
}

async function within(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  { clock, bytesMax }: { readonly clock: Clock; readonly bytesMax: number },
): Promise<Blob> {
  const reader = body.getReader();
  const late = Promise.withResolvers<never>();
  const timer = clock.setTimer(() => {
    const message = `Cannot take this request: its body took over ${BODY_MS_MAX / 1000} seconds`;
    late.reject(new ImmuneError("TOO_SLOW", message));
  }, BODY_MS_MAX);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late.promise]);
      if (done) return new Blob(parts);
      bytes += value.length;
      if (bytes > bytesMax) {
        const message = `Cannot take a body over ${bytesMax} bytes`;
        throw new ImmuneError("INPUT_MALFORMED", message);
      }
      parts.push(value);
    }
  } catch (error) {
    reader.cancel().catch(() => {});
    throw error;
  } finally {
    timer.cancel();
  }
}
