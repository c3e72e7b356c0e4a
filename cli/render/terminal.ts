/** Styles of the terminal, as SGR parameters (ECMA-48, 8.3.117). */
export const STYLES = {
  bold: "1",
  dim: "2",
  red: "31",
  green: "32",
  yellow: "33",
  magenta: "35",
  cyan: "36",
} as const;

/** Name of a style. */
export type Style = keyof typeof STYLES;

/** Writes styled text, or plain text where colours are not wanted. */
export interface Painter {
  (style: Style, text: string): string;
}

/**
 * A painter for a stream.
 *
 * @param options `terminal`: whether the stream is a terminal; `noColor`: the value of `NO_COLOR`,
 * which turns colours off unless it is empty (no-color.org).
 */
export function painter(
  options: { readonly terminal: boolean; readonly noColor?: string | undefined },
): Painter {
  if (!options.terminal || (options.noColor ?? "") !== "") return (_, text) => text;
  return (style, text) => `\x1b[${STYLES[style]}m${text}\x1b[0m`;
}

// Bytes that a terminal would obey: C0, DEL, C1, and the bidirectional controls.
// deno-lint-ignore no-control-regex -- they are what is looked for
const CONTROLS = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text that came from outside, safe to show: controls become visible escapes, so that a process
 * name cannot repaint the terminal or hide what follows it.
 *
 * @param text Any text.
 */
export function visible(text: string): string {
  return text.replaceAll(CONTROLS, (control) => {
    const code = control.charCodeAt(0);
    return code <= 0xff
      ? `\\x${code.toString(16).padStart(2, "0")}`
      : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}
