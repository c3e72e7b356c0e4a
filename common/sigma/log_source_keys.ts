import * as z from "zod";
import type { LogSource } from "./log_source.ts";

const NAME = z.string().min(1).transform((name) => name.toLowerCase()).nullish();

/** The key `logsource` of a document. */
export const LOG_SOURCE = z.looseObject({ category: NAME, product: NAME, service: NAME });

/**
 * Takes a log source out of its key.
 *
 * @param keys What `LOG_SOURCE` gave.
 * @returns The names that are there.
 */
export function logSourceOf(
  { category, product, service }: z.output<typeof LOG_SOURCE>,
): LogSource {
  return {
    ...(category ? { category } : {}),
    ...(product ? { product } : {}),
    ...(service ? { service } : {}),
  };
}
