import htmx from "htmx.org/dist/htmx.min.js" with { type: "text" };
import { createHash } from "node:crypto";
import css from "./assets/console.css" with { type: "text" };
import icon from "./assets/icon.svg" with { type: "text" };
import passkey from "./assets/passkey.js" with { type: "text" };
import live from "./assets/live.js" with { type: "text" };

/** A file that pages name. */
export interface Asset {
  /** Its path: a hash of what it holds is part of it, so that it never changes. */
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

/** Where assets lie. */
export const ASSETS_PATH = "/assets";
/** Hexadecimal digits of the hash in a path. */
const HASH_DIGITS = 16;

function asset(name: string, type: string, options: { readonly text: string }): Asset {
  const { text } = options;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, HASH_DIGITS);
  const [stem, extension] = name.split(".");
  return { path: `${ASSETS_PATH}/${stem}.${hash}.${extension}`, type, text };
}

/** Files that pages name. */
export const ASSETS = {
  css: asset("console.css", "text/css; charset=utf-8", { text: css }),
  htmx: asset("htmx.js", "text/javascript; charset=utf-8", { text: htmx }),
  live: asset("live.js", "text/javascript; charset=utf-8", { text: live }),
  passkey: asset("passkey.js", "text/javascript; charset=utf-8", { text: passkey }),
  icon: asset("icon.svg", "image/svg+xml", { text: icon }),
} as const satisfies Record<string, Asset>;

const BY_PATH: ReadonlyMap<string, Asset> = new Map(
  Object.values(ASSETS).map((entry) => [entry.path, entry]),
);

/**
 * The asset of a path.
 *
 * @param path Path of a request.
 * @returns The asset, or `undefined` when there is none.
 */
export function assetAt(path: string): Asset | undefined {
  return BY_PATH.get(path);
}
