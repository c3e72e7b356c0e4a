import { addressText, type RecordView, text } from "../../common/record/mod.ts";
import { domainMatches } from "./domain.ts";
import type { IndicatorLookup } from "./lookup.ts";
import { type IndicatorMatch, matchOf } from "./match.ts";

const FAMILY_IPV4 = 2;
const SLASH = 0x2F;

/**
 * The listed values that a record has, by the exact set.
 *
 * @param record A record of which the scan said that it may have some.
 * @param options The indicators in force, and Unix time in milliseconds.
 * @returns Matches, none when the filter erred.
 */
export function recordMatches(
  record: RecordView,
  options: { readonly lookup: IndicatorLookup; readonly nowMs: number },
): readonly IndicatorMatch[] {
  if (record.kind === "exec") {
    const image = record.slot("exec", "image");
    const asked = record.slot("exec", "file_name");
    const isSame = image !== undefined && asked !== undefined && text(image) === text(asked);
    return [
      ...fileMatches(image, { ...options, field: "process.executable" }),
      ...(isSame ? [] : fileMatches(asked, { ...options, field: "process.exec_file" })),
    ];
  }
  if (record.kind === "open") {
    // A watched file that was opened by another name has both.
    return [
      ...fileMatches(record.slot("open", "path"), { ...options, field: "file.path" }),
      ...fileMatches(record.slot("open", "opened_as"), { ...options, field: "file.opened_as" }),
    ];
  }
  if (record.kind === "image_hash") {
    const digest = record.slot("image_hash", "sha256") ?? new Uint8Array();
    const isProgram = record.number("image_hash", "is_program") !== 0;
    const match = matchOf(options.lookup.find("sha256", digest, options), {
      found: digest.toHex(),
      field: isProgram ? "process.hash.sha256" : "file.hash.sha256",
    });
    return match === undefined ? [] : [match];
  }
  if (record.kind === "connect") {
    return addressMatches({
      address: record.address("connect", "address"),
      family: record.number("connect", "family"),
      field: "destination.ip",
    }, options);
  }
  if (record.kind === "accept") {
    return addressMatches({
      address: record.address("accept", "peer_address"),
      family: record.number("accept", "family"),
      field: "source.ip",
    }, options);
  }
  const name = record.kind === "dns" ? record.slot("dns", "name") : undefined;
  return name === undefined
    ? []
    : domainMatches(text(name), { ...options, field: "dns.question.name" });
}

interface Asking {
  readonly lookup: IndicatorLookup;
  readonly nowMs: number;
}

interface FileOptions extends Asking {
  readonly field: string;
}

function fileMatches(path: Uint8Array | undefined, options: FileOptions): IndicatorMatch[] {
  if (path === undefined) return [];
  const { lookup, field } = options;
  const name = path.subarray(path.lastIndexOf(SLASH) + 1);
  return [
    matchOf(lookup.find("path", path, options), { found: text(path), field }),
    matchOf(lookup.find("name", name, options), { found: text(path), field }),
  ].filter((match) => match !== undefined);
}

function addressMatches(
  { address, family, field }: {
    readonly address: Uint8Array;
    readonly family: number;
    readonly field: string;
  },
  options: Asking,
): IndicatorMatch[] {
  const bytes = family === FAMILY_IPV4 ? address.subarray(0, 4) : address;
  const match = matchOf(options.lookup.findAddress(bytes, options), {
    found: addressText(address, family),
    field,
  });
  return match === undefined ? [] : [match];
}
