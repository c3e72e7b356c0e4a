// deno task test [ARGUMENT OF deno test...]
//
// Builds, runs every test and documentation example, prints the tests that were skipped with the
// host fact that is missing, and ends with "N passed, N failed, N skipped". A skip that
// tests/skips.json does not explain is a failure.

import skips from "../tests/skips.json" with { type: "json" };
import { summarize } from "./junit.ts";
import { run } from "./run.ts";

const JUNIT_PATH = "out/junit.xml";

async function main(args: readonly string[]): Promise<number> {
  const built = await run([Deno.execPath(), "run", "-A", "build/main.ts"]);
  if (built !== 0) return built;
  await Deno.mkdir("out", { recursive: true });
  await Deno.remove(JUNIT_PATH).catch(() => undefined);
  const code = await run([
    Deno.execPath(),
    "test",
    "-A",
    "--quiet",
    "--doc",
    `--junit-path=${JUNIT_PATH}`,
    ...args,
  ]);
  const report = await Deno.readTextFile(JUNIT_PATH).catch(() => undefined);
  if (report === undefined) {
    console.log("The tests did not run to their end");
    console.log("0 passed, 1 failed, 0 skipped");
    return code || 1;
  }
  const { passed, failed, skipped } = summarize(report);
  let unexplained = 0;
  for (const name of skipped) {
    const skip = skips.find((entry) => name.startsWith(entry.test));
    if (skip === undefined) unexplained++;
    console.log(`skipped: ${name}: ${skip?.needs ?? "not explained in tests/skips.json"}`);
  }
  console.log(`${passed} passed, ${failed + unexplained} failed, ${skipped.length} skipped`);
  return code || (unexplained > 0 ? 1 : 0);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
