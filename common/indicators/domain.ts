import { DOMAIN_BYTES_MAX, DOMAIN_LABEL_BYTES_MAX, URL_BYTES_MAX } from "./limits.ts";
import type { Canonical } from "./value.ts";

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;

/**
 * A domain in lower case and ASCII (RFC 5890: `xn--`), without a dot at its end.
 *
 * @param text As a feed or an event writes it; `*.` in front means all below it, `[.]` is a dot.
 */
export function canonicalDomain(text: string): Canonical {
  // Four characters a byte: what is longer cannot become short enough.
  if (text.length > 4 * DOMAIN_BYTES_MAX) return none(`it is over ${DOMAIN_BYTES_MAX} bytes`);
  const plain = withDots(text.trim()).toLowerCase().replace(/\.$/, "");
  const isBelow = plain.startsWith("*.");
  const name = asciiName(isBelow ? plain.slice(2) : plain);
  if (name === undefined) return none("it is no domain");
  if (name.length > DOMAIN_BYTES_MAX) return none(`it is over ${DOMAIN_BYTES_MAX} bytes`);
  const labels = name.split(".");
  if (labels.some((label) => label.length > DOMAIN_LABEL_BYTES_MAX || !LABEL.test(label))) {
    return none("it is no domain");
  }
  if (labels.length < 2) return none("it has no dot: it names no host of the internet");
  if (/^\d+$/.test(labels.at(-1) ?? "")) return none("it is an address, no domain");
  return { ok: true, value: isBelow ? `*.${name}` : name };
}

/**
 * A URL as the WHATWG URL standard writes it, without its fragment.
 *
 * @param text As a feed writes it; `hxxp` and `[.]` are undone.
 */
export function canonicalUrl(text: string): Canonical {
  if (text.length > 2 * URL_BYTES_MAX) return none(`it is over ${URL_BYTES_MAX} bytes`);
  const url = parseUrl(text);
  if (url === undefined) return none("it is no URL with a host, as https://host/path");
  url.hash = "";
  const { href } = url;
  return href.length > URL_BYTES_MAX
    ? none(`it is over ${URL_BYTES_MAX} bytes`)
    : { ok: true, value: href };
}

/**
 * The host of a URL.
 *
 * @param text A URL.
 * @returns The host, and whether the URL names nothing but it; `undefined` when it is none.
 */
export function hostOfUrl(
  text: string,
): { readonly host: string; readonly isAll: boolean } | undefined {
  const url = parseUrl(text);
  if (url === undefined) return undefined;
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { host, isAll: (url.pathname === "/" || url.pathname === "") && url.search === "" };
}

function parseUrl(text: string): URL | undefined {
  const plain = withDots(text.trim()).replace(/^h(?:xx|\*\*)p/i, "http").replace("[:]", ":");
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(plain)) return undefined;
  const url = URL.parse(plain);
  return url === null || url.hostname === "" || plain.includes("\ufffd") ? undefined : url;
}

/** Dots that were made harmless for readers are dots again. */
function withDots(text: string): string {
  return text.includes("[.]") || text.includes("(.)")
    ? text.replaceAll(/\[\.\]|\(\.\)/g, ".")
    : text;
}

function asciiName(text: string): string | undefined {
  if (/^[a-z0-9._-]+$/.test(text)) return text;
  if (/[\s/?#@:%\\\ufffd[\]]/.test(text)) return undefined;
  // The URL standard's host parser does Unicode and Punycode (UTS 46).
  return URL.parse(`http://${text}/`)?.hostname || undefined;
}

function none(why: string): Canonical {
  return { ok: false, why };
}
