import type { Command } from "commander";
import type { Seen } from "../../agent/indicators/seen_file.ts";
import { type Config, statePaths } from "../../common/config/mod.ts";
import type { Indicator, SetImage } from "../../common/indicators/mod.ts";
import { print, tell } from "../output.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";
import { addStateSettings, settingsOf } from "../settings.ts";

/** Longest value in the table, in characters. */
const VALUE_MAX = 64;
/** Lines that are printed at a time. */
const LINES_AT_ONCE = 1000;

const AFTER_HELP = `
SEEN is how often this host saw the value while a program watched, SIGHTINGS what the source counts.
--stats shows each source's count, what left the set, and how full the Bloom filter is. Hashes and
URLs are looked for in replayed events alone: no record of the sensor has them yet.`;

interface ListOptions {
  readonly source?: string;
  readonly type?: string;
  readonly stats?: boolean;
}

/** An indicator with what this host saw of it. */
type Listed = Indicator & { readonly seen: Seen | undefined; readonly isOver: boolean };

/** `immune indicators list` */
export function addIndicatorsList(indicators: Command): void {
  const command = indicators.command("list")
    .description("list indicators with source, expiry and counts")
    .option("--source <name>", "only those of a source")
    .option(
      "--type <type>",
      "only those of a type: md5, sha1, sha256, path, name, ipv4, ipv6, domain, url",
    )
    .option("--stats", "show counts and the filter instead")
    .option("--json", "print one JSON object an indicator")
    .addHelpText("after", AFTER_HELP);
  addStateSettings(command).action(async (options: ListOptions) => {
    const { values } = settingsOf(command);
    const { json } = values.output;
    const { readIndicators } = await import("../../common/indicators/mod.ts");
    const image = readIndicators(statePaths(values.state.dir).indicators);
    if (image === undefined) {
      tell('No indicator was ever listed here; see "immune indicators import --help"');
      return;
    }
    if (options.stats) return await printStats(image, json);
    const listed = await listedOf(image, { ...options, config: values });
    if (json) printJson(listed);
    else print(table(listed, COLUMNS).trimEnd());
    const over = listed.filter(({ isOver }) => isOver).length;
    tell(`${listed.length} indicators${over === 0 ? "" : `, ${over} of them over`}`);
  });
}

async function listedOf(
  image: SetImage,
  { source, type, config }: ListOptions & { readonly config: Config },
): Promise<readonly Listed[]> {
  const { isExpired } = await import("../../common/indicators/mod.ts");
  const { readSeen } = await import("../../agent/indicators/seen_file.ts");
  const seen = new Map(
    readSeen(statePaths(config.state.dir).indicators).map((each) => [
      `${each.type} ${each.value}`,
      each,
    ]),
  );
  const nowMs = Date.now();
  const listed: Listed[] = [];
  for (let i = 0; i < image.size; i++) {
    const each = image.indicatorAt(i);
    if (source !== undefined && each.source !== source) continue;
    if (type !== undefined && each.type !== type) continue;
    const isOver = isExpired(each, nowMs);
    listed.push({ ...each, seen: seen.get(`${each.type} ${each.value}`), isOver });
  }
  return listed;
}

function printJson(listed: readonly Listed[]): void {
  for (let at = 0; at < listed.length; at += LINES_AT_ONCE) {
    const lines = listed.slice(at, at + LINES_AT_ONCE).map((each) => JSON.stringify(jsonOf(each)));
    print(lines.join("\n"));
  }
}

function jsonOf(
  { firstSeenMs, listedMs, expiresMs, seen, isOver, ...rest }: Listed,
): Record<string, unknown> {
  return {
    ...rest,
    first_seen: time(firstSeenMs),
    listed: time(listedMs),
    expires: expiresMs === undefined ? null : time(expiresMs),
    in_force: !isOver,
    seen: seen?.count ?? 0,
    last_seen: seen === undefined ? null : time(seen.lastMs),
  };
}

const COLUMNS = [
  { title: "TYPE", value: (each: Listed): string => each.type },
  { title: "VALUE", value: (each: Listed): string => visible(cut(each.value)) },
  { title: "SOURCE", value: (each: Listed): string => visible(each.source) },
  { title: "SEVERITY", value: (each: Listed): string => each.severity },
  { title: "EXPIRES", value: expiryOf },
  { title: "SEEN", value: (each: Listed): string => String(each.seen?.count ?? 0) },
  { title: "SIGHTINGS", value: (each: Listed): string => String(each.sightings) },
  { title: "TITLE", value: (each: Listed): string => visible(each.title) },
];

function expiryOf({ expiresMs, isOver }: Listed): string {
  if (expiresMs === undefined) return "never";
  return isOver ? "over" : time(expiresMs).slice(0, "2026-01-01".length);
}

function cut(text: string): string {
  return text.length <= VALUE_MAX ? text : `${text.slice(0, VALUE_MAX)}…`;
}

function time(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

async function printStats(image: SetImage, json: boolean): Promise<void> {
  const { buildIndicators } = await import("../../agent/indicators/build.ts");
  const { Engine } = await import("../../wasm/engine/mod.ts");
  const engine = await Engine.create();
  const { filterStats } = buildIndicators(image, { engine, nowMs: Date.now() });
  const sources = image.sourceCounts();
  const { left } = image.parts;
  if (json) {
    print(JSON.stringify({
      indicators: image.size,
      sources: Object.fromEntries(sources),
      left,
      filter: filterStats,
    }));
    return;
  }
  print(
    table([...sources], [
      { title: "SOURCE", value: ([name]) => visible(name) },
      { title: "INDICATORS", value: ([, count]) => String(count) },
    ]).trimEnd(),
  );
  const { items, bits, fill, estimatedRate, wantedRate } = filterStats;
  print(
    `${image.size} indicators; left: ${left.expired} expired, ${left.withdrawn} withdrawn, ` +
      `${left.evicted} evicted`,
  );
  print(
    `Bloom filter: ${items} values in ${bits / 8} bytes, ${percent(fill)} of the bits set, ` +
      `${percent(estimatedRate)} false positives (wanted: ${percent(wantedRate)})`,
  );
}

function percent(share: number): string {
  return `${(share * 100).toPrecision(3)} %`;
}
