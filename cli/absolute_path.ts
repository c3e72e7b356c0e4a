/**
 * A path from the root, as `resolve` of `node:path` gives it. That module is not loaded for it: with
 * what it brings along it takes longer than all else that a short verb does.
 *
 * @param path Path; a relative one starts at `folder`.
 * @param folder Default: the folder of this process.
 */
export function absolutePath(path: string, folder?: string): string {
  const whole = path.startsWith("/") ? path : `${folder ?? Deno.cwd()}/${path}`;
  const parts: string[] = [];
  for (const part of whole.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
