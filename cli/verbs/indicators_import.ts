import { type Command, InvalidArgumentError } from "commander";
import type { Added, Feed, FeedFormat } from "../../common/indicators/mod.ts";
import { ImmuneError } from "../../common/config/mod.ts";
import type { Level } from "../../common/sigma/mod.ts";
import { timespanOf } from "../indicators/options.ts";
import { openStore, RELOAD_HINT } from "../indicators/store.ts";
import { print, tell } from "../output.ts";
import { visible } from "../render/terminal.ts";
import { addStateSettings, settingsOf } from "../settings.ts";

/** Formats, as `readFeed` knows them; stated here so that help loads no parser. */
const FORMATS: readonly FeedFormat[] = ["csv", "stix", "misp"];
const LEVELS: readonly Level[] = ["informational", "low", "medium", "high", "critical"];
/** Problems of a file that are printed; the summary has their count. */
const PROBLEMS_SHOWN_MAX = 20;

const AFTER_HELP = `
FILE is CSV (with a header, or a bare list of values), a STIX 2 bundle or MISP events as JSON; "-" is
standard input. The format is found by content unless it is told. What cannot be listed is named and
left out, the rest is listed. An id that a source listed before is replaced; what a feed revoked or
deleted is taken back. Values: md5, sha1, sha256, absolute path, file name, IPv4 and IPv6 address or
network, domain (*.example.org for all below), URL.
Exit code 1 when a file cannot be read, or lists nothing.

Example: immune indicators import feed.csv --source our-feed --expires 30d`;

interface ImportOptions {
  readonly format?: FeedFormat;
  readonly source?: string;
  readonly expires?: number;
  readonly severity?: Level;
  readonly urlHosts?: boolean;
}

/** What a file came to. */
interface ImportLine extends Omit<Added, "refused"> {
  readonly file: string;
  readonly format: FeedFormat;
  readonly withdrawn: number;
  /** Of sources that there was no room for. */
  readonly refused: number;
  readonly problems: number;
  readonly skipped: Readonly<Record<string, number>>;
}

/** `immune indicators import` */
export function addIndicatorsImport(indicators: Command, exit: (code: number) => void): void {
  const command = indicators.command("import")
    .description("list the values of feeds: CSV, STIX, MISP")
    .argument("<file...>", 'feeds; "-" = stdin')
    .option("--format <format>", `what the files are: ${FORMATS.join(", ")}`, oneOf(FORMATS))
    .option("--source <name>", "name of the source, whatever the feed says of itself")
    .option(
      "--expires <span>",
      "out of force after so long where the feed says nothing: 30d, 12h",
      timespanOf,
    )
    .option(
      "--severity <level>",
      `where the feed says nothing: ${LEVELS.join(", ")}`,
      oneOf(LEVELS),
    )
    .option(
      "--url-hosts",
      "list the host of every URL too, not only of those that name nothing else",
    )
    .option("--json", "print one JSON object a file")
    .addHelpText("after", AFTER_HELP);
  addStateSettings(command).action(async (files: readonly string[], options: ImportOptions) => {
    const { values } = settingsOf(command);
    const nowMs = Date.now();
    const feeds: { readonly file: string; readonly feed: Feed & { format: FeedFormat } }[] = [];
    // All are read before the store is locked: a pipe may take its time.
    for (const file of files) {
      const feed = await feedOf(file, { ...options, nowMs });
      if (feed === undefined) exit(1);
      else feeds.push({ file, feed });
    }
    if (feeds.length === 0) return;
    using store = await openStore(values);
    const lines = feeds.map(({ file, feed }) => listFeed(store.set, { file, feed, nowMs }));
    store.save();
    for (const { file, feed } of feeds) tellProblems(file, feed);
    for (const line of lines) {
      if (line.added + line.updated + line.withdrawn === 0) exit(1);
      print(values.output.json ? JSON.stringify(line) : sentence(line));
    }
    if (!values.output.json) tell(`${store.set.size} indicators in all. ${RELOAD_HINT}`);
  });
}

/** Reads a feed; one that cannot be read is told, and the others go on. */
async function feedOf(
  file: string,
  options: ImportOptions & { readonly nowMs: number },
): Promise<(Feed & { format: FeedFormat }) | undefined> {
  const { readFeed } = await import("../../common/indicators/mod.ts");
  const { openInput } = await import("../../agent/pipeline/input.ts");
  const { nowMs, expires } = options;
  try {
    return await readFeed((await openInput(file)).chunks, {
      nowMs,
      name: file === "-" ? "stdin" : nameOf(file),
      format: options.format,
      source: options.source,
      severity: options.severity,
      urlHosts: options.urlHosts,
      expiresMs: expires === undefined ? undefined : nowMs + expires,
    });
  } catch (error) {
    if (!(error instanceof ImmuneError)) throw error;
    tell(`${visible(file)}: ${visible(error.message)} [${error.code}]`);
    return undefined;
  }
}

function listFeed(
  set: Awaited<ReturnType<typeof openStore>>["set"],
  { file, feed, nowMs }: {
    readonly file: string;
    readonly feed: Feed & { format: FeedFormat };
    readonly nowMs: number;
  },
): ImportLine {
  const added = set.add(feed.indicators, nowMs);
  return {
    file,
    format: feed.format,
    ...added,
    withdrawn: withdrawAll(set, feed),
    problems: feed.problemCount,
    skipped: Object.fromEntries(feed.skipped),
  };
}

/** One pass, however many are taken back. */
function withdrawAll(
  set: Awaited<ReturnType<typeof openStore>>["set"],
  { withdrawn }: Feed,
): number {
  if (withdrawn.length === 0) return 0;
  const gone = new Set(withdrawn.map(({ source, id }) => `${source}\0${id}`));
  return set.remove(({ source, id }) => gone.has(`${source}\0${id}`));
}

function tellProblems(file: string, { problems, problemCount }: Feed): void {
  for (const { place, reason } of problems.slice(0, PROBLEMS_SHOWN_MAX)) {
    tell(visible(`${file}: ${place}: ${reason}`));
  }
  const more = problemCount - PROBLEMS_SHOWN_MAX;
  if (more > 0) tell(visible(`${file}: ${more} more that cannot be listed`));
}

function sentence(line: ImportLine): string {
  const { file, format, added, updated, withdrawn, expired, evicted, refused, problems } = line;
  const parts = [
    `${added} added`,
    `${updated} updated`,
    ...count(withdrawn, "taken back"),
    ...count(expired, "expired already"),
    ...count(evicted, "evicted: there is no more room"),
    ...count(refused, "refused: there are too many sources"),
    ...count(problems, "cannot be listed"),
    ...Object.entries(line.skipped).map(([why, times]) => `${times} left out (${why})`),
  ];
  return visible(`${file} (${format}): ${parts.join(", ")}`);
}

function count(times: number, what: string): readonly string[] {
  return times === 0 ? [] : [`${times} ${what}`];
}

/** Name of a file without folder and ending: the source where nothing names one. */
function nameOf(file: string): string {
  const name = file.slice(file.lastIndexOf("/") + 1);
  return (name.replace(/(?<=.)\.[^.]*$/, "") || "file").slice(0, 32);
}

function oneOf<T extends string>(names: readonly T[]): (text: string) => T {
  return (text) => {
    const found = names.find((name) => name === text);
    if (found === undefined) throw new InvalidArgumentError(`Give one of ${names.join(", ")}.`);
    return found;
  };
}
