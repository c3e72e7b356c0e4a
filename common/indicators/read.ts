import { ImmuneError } from "../config/errors.ts";
import { isJsonObject } from "../sigma/event_value.ts";
import { readCsv } from "./csv.ts";
import type { Feed, FeedOptions } from "./feed.ts";
import { readJson } from "./json.ts";
import { CSV_BYTES_MAX } from "./limits.ts";
import { readMisp } from "./misp.ts";
import { readStix } from "./stix.ts";

/** Formats of feeds. */
export const FEED_FORMATS = ["csv", "stix", "misp"] as const;

/** Format of a feed. */
export type FeedFormat = (typeof FEED_FORMATS)[number];

/**
 * Reads a feed.
 *
 * @param chunks Its bytes.
 * @param options Defaults of the feed; `format`: default what it looks like.
 * @returns What it lists, and the format.
 * @throws {ImmuneError} `INPUT_MALFORMED` when it cannot be read as a whole.
 * @throws what reading the chunks throws.
 */
export async function readFeed(
  chunks: AsyncIterable<Uint8Array>,
  options: FeedOptions & { readonly format?: FeedFormat | undefined },
): Promise<Feed & { readonly format: FeedFormat }> {
  const { format } = options;
  const whole = replayed(bounded(chunks));
  const isJson = format === undefined ? await looksLikeJson(whole) : format !== "csv";
  if (!isJson) return { ...await readCsv(whole.chunks(), options), format: "csv" };
  const document = await readJson(whole.chunks());
  const found = format ?? (isStix(document) ? "stix" : "misp");
  return {
    ...(found === "stix" ? readStix(document, options) : readMisp(document, options)),
    format: found,
  };
}

function isStix(document: unknown): boolean {
  if (!isJsonObject(document)) {
    const [first] = Array.isArray(document) ? document : [];
    return isJsonObject(first) && typeof first["type"] === "string" && "spec_version" in first;
  }
  return document["type"] === "bundle" || Array.isArray(document["objects"]);
}

/** Whether the first character is that of a JSON document with feeds. */
async function looksLikeJson({ peek }: Replayed): Promise<boolean> {
  const start = new TextDecoder().decode(await peek()).replace(/^\ufeff/, "").trimStart();
  // A list of IPv6 addresses may start with a bracket too.
  return start.startsWith("{") || /^\[\s*[{\]]/.test(start);
}

interface Replayed {
  /** The first chunk that is not empty. */
  readonly peek: () => Promise<Uint8Array>;
  /** All of them, also the first. */
  readonly chunks: () => AsyncGenerator<Uint8Array>;
}

function replayed(chunks: AsyncIterable<Uint8Array>): Replayed {
  const iterator = chunks[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  return {
    peek: async () => {
      const next = await iterator.next();
      if (next.done === true) return new Uint8Array();
      seen.push(next.value);
      return next.value;
    },
    chunks: async function* (): AsyncGenerator<Uint8Array> {
      try {
        yield* seen;
        for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
          yield next.value;
        }
      } finally {
        await iterator.return?.();
      }
    },
  };
}

async function* bounded(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > CSV_BYTES_MAX) {
      throw new ImmuneError(
        "INPUT_MALFORMED",
        `Cannot read the feed: it is over ${CSV_BYTES_MAX} bytes; split it`,
      );
    }
    yield chunk;
  }
}
