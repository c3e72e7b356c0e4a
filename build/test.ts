// deno task test [ARGUMENT OF deno test...]
//
// Builds, runs every test and documentation example, prints the tests that were skipped with the
// host fact that is missing and those that failed with what they said, and ends with "N passed,
// N failed, N skipped". A skip that tests/skips.json does not explain is a failure.
//
// Without arguments it runs two halves at the same time: what loads a sensor here or starts the
// program, which mostly waits and takes longest, and all else, which computes or waits for a guest.
// What the second says is shown when it has ended.

import skips from "../tests/skips.json" with { type: "json" };
import { summarize, type TestSummary } from "./junit.ts";
import { run } from "./run.ts";

/**
 * Tests that load no sensor into this kernel and start no program of ours but by their own means;
 * those of other kernels boot guests.
 */
const APART: readonly string[] = [
  "build",
  "common",
  "hive",
  "specs",
  "tests/attacks",
  "tests/browser",
  "tests/chaos",
  "tests/differential",
  "tests/fuzz",
  "tests/kernels",
  "wasm",
];
/** Holds no tests. */
const WITHOUT_TESTS: readonly string[] = [
  "LICENSE",
  "coverage",
  "deno.json",
  "deno.lock",
  "dist",
  "out",
  "mod.ts",
  "tests/skips.json",
];

/** Variables that would send what tests ask of this host elsewhere. */
const PROXY_VARIABLES: readonly string[] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/** Characters that are shown again of what a test that failed said. */
const MOST_SAID = 2000;

/** A part of the tests, in a process of its own. */
interface Part {
  readonly name: string;
  readonly args: readonly string[];
}

/**
 * The halves: every entry of the project's folder, and of `tests` in it, is in one of them.
 *
 * @param entries What is in the project's folder, paths for what is in `tests`.
 */
export function partsOf(entries: readonly string[]): readonly Part[] {
  const tested = entries.filter((name) => !name.startsWith(".") && !WITHOUT_TESTS.includes(name));
  return [
    { name: "programs", args: tested.filter((name) => !APART.includes(name)).sort() },
    { name: "apart", args: tested.filter((name) => APART.includes(name)).sort() },
  ];
}

/**
 * What {@linkcode partsOf} is given.
 *
 * @param folder The project's folder, with a slash at its end.
 */
export function entriesOf(folder: string): readonly string[] {
  const names = (path: string): string[] => Array.from(Deno.readDirSync(path), ({ name }) => name);
  const tests = names(`${folder}tests`).map((name) => `tests/${name}`);
  return [...names(folder).filter((name) => name !== "tests"), ...tests];
}

interface Ended {
  readonly code: number;
  readonly summary: TestSummary | undefined;
}

async function runPart({ name, args }: Part, quiet: boolean): Promise<Ended> {
  const report = `out/junit-${name}.xml`;
  await Deno.remove(report).catch(() => undefined);
  const command = [Deno.execPath(), "test", "-A", "--quiet", "--doc", `--junit-path=${report}`];
  const code = quiet ? await runQuietly([...command, ...args]) : await run([...command, ...args]);
  const xml = await Deno.readTextFile(report).catch(() => undefined);
  return { code, summary: xml === undefined ? undefined : summarize(xml) };
}

/** Runs a command and shows what it said when it has ended. */
async function runQuietly([program = "", ...args]: readonly string[]): Promise<number> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" })
    .output();
  for (const said of [stdout, stderr]) console.log(new TextDecoder().decode(said).trimEnd());
  return code;
}

async function main(args: readonly string[]): Promise<number> {
  const built = await run([Deno.execPath(), "run", "-A", "build/main.ts"]);
  if (built !== 0) return built;
  // Tests talk to what they start themselves, and say so where a proxy is between.
  for (const name of PROXY_VARIABLES) Deno.env.delete(name);
  await Deno.mkdir("out", { recursive: true });
  const parts = args.length > 0 ? [{ name: "named", args }] : partsOf(entriesOf("./"));
  const ended = await Promise.all(parts.map((part, i) => runPart(part, i > 0)));
  let [passed, failed, unexplained] = [0, 0, 0];
  const skipped: string[] = [];
  for (const { summary } of ended) {
    if (summary === undefined) {
      console.log("The tests did not run to their end");
      failed++;
    }
    passed += summary?.passed ?? 0;
    failed += summary?.failures.length ?? 0;
    skipped.push(...summary?.skipped ?? []);
  }
  for (const name of skipped) {
    const skip = skips.find((entry) => name.startsWith(entry.test));
    if (skip === undefined) unexplained++;
    console.log(`skipped: ${name}: ${skip?.needs ?? "not explained in tests/skips.json"}`);
  }
  for (const { name, detail } of ended.flatMap(({ summary }) => summary?.failures ?? [])) {
    console.log(`failed: ${name}: ${detail.trim().slice(0, MOST_SAID)}`);
  }
  console.log(`${passed} passed, ${failed + unexplained} failed, ${skipped.length} skipped`);
  const code = ended.find((part) => part.code !== 0)?.code ?? 0;
  return code || (failed + unexplained > 0 ? 1 : 0);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
