import { NAME_BYTES_MAX, PATH_BYTES_MAX } from "./limits.ts";
import type { Canonical } from "./value.ts";

const UTF8 = new TextEncoder();
// What no name in a feed has, though a file may: controls, and what was no UTF-8.
// deno-lint-ignore no-control-regex -- they are what is looked for
const UNFIT = /[\x00-\x1f\x7f\ufffd]/;

/**
 * An absolute path without `//`, `.` and `..`.
 *
 * @param text As a feed writes it.
 */
export function canonicalPath(text: string): Canonical {
  if (!text.startsWith("/")) return { ok: false, why: "it is no absolute path, as /tmp/x" };
  if (text.length > PATH_BYTES_MAX) return tooLong(PATH_BYTES_MAX);
  if (UNFIT.test(text)) return unfit();
  if (text.endsWith("/")) return { ok: false, why: "it names a folder, not a file" };
  const parts: string[] = [];
  for (const part of text.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  const value = `/${parts.join("/")}`;
  if (parts.length === 0) return { ok: false, why: "it names a folder, not a file" };
  return UTF8.encode(value).length > PATH_BYTES_MAX ? tooLong(PATH_BYTES_MAX) : { ok: true, value };
}

/**
 * The name of a file, without a folder.
 *
 * @param text As a feed writes it.
 */
export function canonicalName(text: string): Canonical {
  const value = text.trim();
  if (value === "" || value === "." || value === ".." || value.includes("/")) {
    return { ok: false, why: "it is no name of a file" };
  }
  if (value.length > NAME_BYTES_MAX || UTF8.encode(value).length > NAME_BYTES_MAX) {
    return tooLong(NAME_BYTES_MAX);
  }
  return UNFIT.test(value) ? unfit() : { ok: true, value };
}

function tooLong(bytes: number): Canonical {
  return { ok: false, why: `it is over ${bytes} bytes` };
}

function unfit(): Canonical {
  return { ok: false, why: "it has control characters or bytes that are no UTF-8" };
}
