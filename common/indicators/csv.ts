import { linesOf } from "../text/lines.ts";
import { type CsvColumns, csvColumns, type CsvRole } from "./csv_columns.ts";
import { type Feed, type FeedEntry, type FeedOptions, FeedReader, quoted } from "./feed.ts";
import { levelOf } from "./level.ts";
import { CSV_FIELDS_MAX, CSV_LINE_BYTES_MAX } from "./limits.ts";
import { parseTime } from "./time.ts";
import { guessType, type TypedValue, typedValues } from "./type_name.ts";

/** Characters that part fields, by what the first line has most of. */
const DELIMITERS = [",", ";", "\t"];
const NO_TYPE =
  'it is no hash, address, domain, URL or absolute path; name its type in a column "type"';

/**
 * Reads a feed of comma-separated values (RFC 4180, a record a line): with a header, with a header
 * in its last comment, or a bare list of values. Its cost is linear in its bytes.
 *
 * @param chunks Its bytes.
 * @param options Defaults of the feed.
 * @returns What it lists; a line that cannot be listed is named, the others count.
 * @throws what reading the chunks throws.
 */
export async function readCsv(
  chunks: AsyncIterable<Uint8Array>,
  options: FeedOptions,
): Promise<Feed> {
  const reader = new FeedReader(options);
  const table = new CsvTable(reader);
  let number = 0;
  for await (const line of linesOf(chunks, { bytesMax: CSV_LINE_BYTES_MAX })) {
    number++;
    const place = `line ${number}`;
    if (line === undefined) reader.problem(place, `It is longer than ${CSV_LINE_BYTES_MAX} bytes`);
    else table.take(line.replace(/^\ufeff/, "").trimEnd(), place);
  }
  return reader.result();
}

/** Lines of a table, of which the first says what the columns are. */
class CsvTable {
  readonly #reader: FeedReader;
  #comment = "";
  #delimiter = "";
  #columns: CsvColumns | undefined;

  constructor(reader: FeedReader) {
    this.#reader = reader;
  }

  take(line: string, place: string): void {
    const start = line.trimStart();
    if (start === "") return;
    if (start.startsWith("#")) {
      // A rule of dashes under the header is no header.
      if (/[a-z]/i.test(start)) this.#comment = start.replace(/^#+\s*/, "");
      return;
    }
    if (this.#delimiter === "") {
      this.#delimiter = delimiterOf(line);
      this.#columns = csvColumns(this.#fields(line));
      if (this.#columns !== undefined) return;
      this.#columns = csvColumns(fieldsOf(this.#comment, delimiterOf(this.#comment)) ?? []);
    }
    const fields = fieldsOf(line, this.#delimiter);
    if (fields === undefined) {
      this.#reader.problem(place, "It has a quote that does not end on it, or too many fields");
    } else if (this.#columns === undefined) this.#bare(fields, place);
    else this.#row(fields, { columns: this.#columns, place });
  }

  #fields(line: string): readonly string[] {
    return fieldsOf(line, this.#delimiter) ?? [];
  }

  /** A list without a header: the first field of a line that is a value. */
  #bare(fields: readonly string[], place: string): void {
    for (const field of fields) {
      const typed = guessType(field);
      if (typed !== undefined) return this.#reader.list(typed, { place });
    }
    this.#reader.problem(place, `Cannot list ${quoted(fields[0] ?? "")}: ${NO_TYPE}`);
  }

  #row(
    fields: readonly string[],
    { columns, place }: { readonly columns: CsvColumns; readonly place: string },
  ): void {
    const cell = (role: CsvRole): string => {
      const at = columns.roles.get(role);
      return at === undefined ? "" : fields[at]?.trim() ?? "";
    };
    if (/^(?:0|false|no)$/i.test(cell("to_ids"))) return this.#reader.skip("to_ids is not set");
    const entry = entryOf(cell);
    if (typeof entry === "string") return this.#reader.problem(place, entry);
    const typed = valuesOf(fields, { columns, cell });
    if (typeof typed === "string") return this.#reader.problem(place, typed);
    for (const each of typed) this.#reader.list(each, { ...entry, place });
  }
}

function entryOf(cell: (role: CsvRole) => string): FeedEntry | string {
  const expires = cell("expires");
  const expiresMs = parseTime(expires);
  // Without it the value would be in force for ever, which nobody said.
  if (expires !== "" && expiresMs === undefined) return `Its expiry ${quoted(expires)} is no time`;
  const confidence = cell("confidence");
  const sightings = Number(cell("sightings"));
  return {
    id: cell("id"),
    title: cell("title"),
    source: cell("source"),
    severity: levelOf(cell("severity")),
    confidence: confidence === "" ? undefined : Number(confidence.replace(/%$/, "")),
    labels: cell("labels").split(/[,;|\s]+/).filter((label) => label !== ""),
    firstSeenMs: parseTime(cell("first")),
    expiresMs,
    sightings: Number.isFinite(sightings) ? sightings : 0,
  };
}

/** Values of a row, or why it has none. */
function valuesOf(
  fields: readonly string[],
  { columns, cell }: { readonly columns: CsvColumns; readonly cell: (role: CsvRole) => string },
): readonly TypedValue[] | string {
  const value = cell("value");
  const type = cell("type");
  if (value !== "" && type !== "") {
    const typed = typedValues(type, value);
    return typed.length > 0 ? typed : `Its type ${quoted(type)} is none that is listed`;
  }
  if (value !== "") {
    const typed = guessType(value);
    return typed === undefined ? `Cannot list ${quoted(value)}: ${NO_TYPE}` : [typed];
  }
  const typed = columns.typed.flatMap(([at, name]) => {
    const text = fields[at]?.trim() ?? "";
    // Feeds write "n/a" and the like where they know nothing.
    return /^(?:n\/a|none|null|-)?$/i.test(text) ? [] : typedValues(name, text);
  });
  const hashes = typed.filter(({ type }) => type === "md5" || type === "sha1" || type === "sha256");
  if (typed.length === 0) return "It has no value";
  // A name beside a hash describes the file: others have it too.
  return hashes.length > 0 ? hashes : typed;
}

function delimiterOf(line: string): string {
  const counts = DELIMITERS.map((each) => line.split(each, CSV_FIELDS_MAX).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ",";
}

/** Fields of a line; `undefined` when a quote does not end, or there are too many. */
function fieldsOf(line: string, delimiter: string): readonly string[] | undefined {
  const fields: string[] = [];
  for (let at = 0; at <= line.length;) {
    if (fields.length >= CSV_FIELDS_MAX) return undefined;
    let start = at;
    while (line[start] === " ") start++;
    if (line[start] !== '"') {
      const end = line.indexOf(delimiter, at);
      fields.push(line.slice(at, end < 0 ? line.length : end).trim());
      at = end < 0 ? line.length + 1 : end + 1;
      continue;
    }
    const quote = quotedField(line, start + 1);
    if (quote === undefined) return undefined;
    fields.push(quote.text);
    const end = line.indexOf(delimiter, quote.end);
    at = end < 0 ? line.length + 1 : end + 1;
  }
  return fields;
}

/** A field up to its quote; a doubled quote is one. */
function quotedField(
  line: string,
  from: number,
): { readonly text: string; readonly end: number } | undefined {
  let text = "";
  for (let at = from;;) {
    const end = line.indexOf('"', at);
    if (end < 0) return undefined;
    text += line.slice(at, end);
    if (line[end + 1] !== '"') return { text, end: end + 1 };
    text += '"';
    at = end + 2;
  }
}
