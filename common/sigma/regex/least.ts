import type { RegexNode } from "./ast.ts";

/** What is longer is told as so many bytes: no value is. */
const LEAST_MAX = 65_536;

/**
 * Finds how long a match is at least.
 *
 * @param node A pattern.
 * @returns Bytes; no match has fewer, at most 65,536.
 */
export function leastBytes(node: RegexNode): number {
  switch (node.type) {
    case "empty":
    case "assert":
      return 0;
    case "set":
      return 1;
    case "group":
      return leastBytes(node.of);
    case "concat":
      return Math.min(LEAST_MAX, node.of.reduce((sum, part) => sum + leastBytes(part), 0));
    case "alternate":
      return Math.min(...node.of.map(leastBytes));
    case "repeat":
      return Math.min(LEAST_MAX, node.min * leastBytes(node.of));
  }
}
