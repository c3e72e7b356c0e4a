/** Where a key or table of a TOML text stands: names to lines, from 1. */
export type TomlLines = ReadonlyMap<string, number>;

/**
 * Finds the lines of tables and keys, which the parser does not tell: `[a]`, `a.b = 1`, and `b = 1`
 * below `[a]`. Keys in inline tables, and lines inside long strings or lists, are not looked into.
 *
 * @param text A TOML text that parses.
 * @returns Lines by dotted name; the first one where a name stands twice.
 */
export function tomlLines(text: string): TomlLines {
  const lines = new Map<string, number>();
  let table = "";
  let inside: string | undefined;
  text.split("\n").forEach((line, i) => {
    if (inside !== undefined) {
      if (line.includes(inside)) inside = undefined;
      return;
    }
    const header = /^\s*\[\s*([^[\]]+?)\s*\]/.exec(line)?.[1];
    const key = /^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=/
      .exec(line)?.[1];
    const name = plain(header ?? key);
    if (name === undefined) return;
    if (header !== undefined) table = name;
    const full = header !== undefined || table === "" ? name : `${table}.${name}`;
    if (!lines.has(full)) lines.set(full, i + 1);
    inside = longString(line);
  });
  return lines;
}

function plain(name: string | undefined): string | undefined {
  return name?.split(".").map((part) => part.trim().replace(/^["']|["']$/g, "")).join(".");
}

/** The quotes that end a long string which this line begins and does not end. */
function longString(line: string): string | undefined {
  return ['"""', "'''"].find((quotes) => line.split(quotes).length === 2);
}
