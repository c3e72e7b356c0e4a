/**
 * A Sigma rule under another id; its own one is a key at the start of a line. The lint refuses
 * rules of which this makes none (`rule_lint.ts`).
 *
 * @param text Its YAML.
 * @param id The id that it gets.
 */
export function withRuleId(text: string, id: string): string {
  const lines = text.split("\n").filter((line) => !/^["']?id["']?\s*:/.test(line));
  const start = lines.findIndex((line) => /^[A-Za-z"']/.test(line));
  return lines.toSpliced(Math.max(0, start), 0, `id: ${id}`).join("\n");
}
