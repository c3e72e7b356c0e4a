/** One test of a report. */
export interface TestCase {
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
  /** What a test that failed said; else empty. */
  readonly detail: string;
}

/** What a run of the tests came to. */
export interface TestSummary {
  readonly passed: number;
  readonly failures: readonly TestCase[];
  /** Names of the tests that were skipped. */
  readonly skipped: readonly string[];
}

const TEST_CASE = /<testcase name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g;
const FAILURE = /<(?:failure|error)[^>]*?(?:\/>|>([\s\S]*?)<\/(?:failure|error)>)/;
const ENTITIES: Readonly<Record<string, string>> = {
  "&quot;": '"',
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&apos;": "'",
};

/**
 * Reads the cases of a JUnit report.
 *
 * @param xml The report as `deno test --junit-path` writes it.
 * @returns A case a test, in the order of the report.
 */
export function casesOf(xml: string): readonly TestCase[] {
  return [...xml.matchAll(TEST_CASE)].map(([, name = "", inner = ""]): TestCase => {
    const failure = FAILURE.exec(inner);
    if (failure !== null) {
      return { name: unescapeXml(name), state: "failed", detail: unescapeXml(failure[1] ?? "") };
    }
    const state = inner.includes("<skipped") ? "skipped" : "passed";
    return { name: unescapeXml(name), state, detail: "" };
  });
}

/**
 * Counts the cases of a JUnit report.
 *
 * @param xml The report as `deno test --junit-path` writes it.
 */
export function summarize(xml: string): TestSummary {
  const cases = casesOf(xml);
  const having = (wanted: TestCase["state"]): readonly TestCase[] =>
    cases.filter(({ state }) => state === wanted);
  return {
    passed: having("passed").length,
    failures: having("failed"),
    skipped: having("skipped").map(({ name }) => name),
  };
}

function unescapeXml(text: string): string {
  return text.replaceAll(/&(?:quot|amp|lt|gt|apos);/g, (entity) => ENTITIES[entity] ?? entity)
    .replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
}
