import { NOW_MS } from "./_indicators_test_support.ts";
import type { Feed, FeedOptions } from "./feed.ts";
import { type FeedFormat, readFeed } from "./read.ts";

/** How a test reads a feed. */
export type ReadOptions = Partial<FeedOptions> & { readonly format?: FeedFormat };

/** Bytes in chunks. */
export async function* chunksOf(bytes: Uint8Array, size = 4096): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    yield await Promise.resolve(bytes.subarray(at, at + size));
  }
}

/** Reads a feed from text, or JSON from a value. */
export function feedOf(
  content: string | object,
  options: ReadOptions = {},
): Promise<Feed & { readonly format: FeedFormat }> {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return readFeed(chunksOf(new TextEncoder().encode(text)), {
    nowMs: NOW_MS,
    name: "file",
    ...options,
  });
}

/** Indicators of a feed as `type value`. */
export function valuesOf({ indicators }: Feed): string[] {
  return indicators.map(({ type, value }) => `${type} ${value}`);
}

/** Problems of a feed as `place: reason`. */
export function problemsOf({ problems }: Feed): string[] {
  return problems.map(({ place, reason }) => `${place}: ${reason}`);
}
