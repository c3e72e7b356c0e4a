/** What a run of the tests came to. */
export interface TestSummary {
  readonly passed: number;
  readonly failed: number;
  /** Names of the tests that were skipped. */
  readonly skipped: readonly string[];
}

const TEST_CASE = /<testcase name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g;
const ENTITIES: Readonly<Record<string, string>> = {
  "&quot;": '"',
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&apos;": "'",
};

/**
 * Counts the cases of a JUnit report.
 *
 * @param xml The report as `deno test --junit-path` writes it.
 */
export function summarize(xml: string): TestSummary {
  let passed = 0;
  let failed = 0;
  const skipped: string[] = [];
  for (const [, name = "", inner = ""] of xml.matchAll(TEST_CASE)) {
    if (inner.includes("<failure") || inner.includes("<error")) failed++;
    else if (inner.includes("<skipped")) skipped.push(unescapeXml(name));
    else passed++;
  }
  return { passed, failed, skipped };
}

function unescapeXml(text: string): string {
  return text.replaceAll(/&(?:quot|amp|lt|gt|apos);/g, (entity) => ENTITIES[entity] ?? entity)
    .replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
}
