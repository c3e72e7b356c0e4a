import { bytesAsText } from "./event.ts";

/** Flags of Sigma's `re`. */
export interface RegexFlags {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  /** The match has to start, or end, where the value does. */
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

const TOKEN = /\[(?:\\[^]|[^\]\\])*\]|\\[^]|\(\?P?<\w+>|[^]/gu;

/**
 * Writes a regular expression of RE2's syntax for V8, over one character a byte. It takes what the
 * generator writes and rules usually have: no `\Q`, no `\x{...}`, no letters beyond ASCII in
 * classes, flags by modifiers alone.
 *
 * @param source The expression.
 * @param flags Its flags.
 * @returns The same for V8.
 */
export function regexOf(source: string, flags: RegexFlags): RegExp {
  const start = flags.multiline ? "(?<![^\\n])" : "(?<![^])";
  const end = flags.multiline ? "(?![^\\n])" : "(?![^])";
  const translated = [...source.matchAll(TOKEN)].map(([token]) => {
    if (token === ".") return flags.dotAll ? "[^]" : "[^\\n]";
    if (token === "^") return start;
    if (token === "$") return end;
    if (token === "\\A") return "(?<![^])";
    if (token === "\\z" || token === "\\Z") return "(?![^])";
    if (token.startsWith("(?")) return "(?:";
    if (token.startsWith("[") || token.charCodeAt(0) < 0x80) return token;
    return letter(token, flags.ignoreCase);
  }).join("");
  const anchored = `${flags.atStart ? "(?<![^])" : ""}(?:${translated})${
    flags.atEnd ? "(?![^])" : ""
  }`;
  return new RegExp(anchored, flags.ignoreCase ? "i" : "");
}

/** A letter beyond ASCII: its bytes, in both cases where each is one letter. */
function letter(character: string, ignoreCase: boolean): string {
  const forms = ignoreCase
    ? [character, character.toLowerCase(), character.toUpperCase()]
    : [character];
  const single = forms.filter((form) => Array.from(form).length === 1);
  return `(?:${[...new Set(single)].map(bytesAsText).join("|")})`;
}
