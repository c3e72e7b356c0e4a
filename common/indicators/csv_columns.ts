/** What a column says of a value. */
export type CsvRole =
  | "value"
  | "type"
  | "id"
  | "title"
  | "labels"
  | "source"
  | "severity"
  | "confidence"
  | "first"
  | "expires"
  | "sightings"
  | "to_ids";

/** What the columns of a feed are. */
export interface CsvColumns {
  /** Column of each role that there is. */
  readonly roles: ReadonlyMap<CsvRole, number>;
  /** Columns that hold values, with the name of their type. */
  readonly typed: readonly (readonly [column: number, type: string])[];
}

/** Names of columns by what they say, the better ones first. */
const ROLE_NAMES: Readonly<Record<CsvRole, readonly string[]>> = {
  value: ["value", "indicator", "ioc", "ioc_value", "observable", "indicator_value"],
  type: ["type", "ioc_type", "indicator_type"],
  id: ["id", "uuid", "ioc_id", "indicator_id", "attribute_uuid"],
  title: ["title", "description", "malware_printable", "malware", "signature", "threat", "comment"],
  labels: ["tags", "labels", "attribute_tag", "threat_type"],
  source: ["source", "feed", "provider"],
  severity: ["severity", "level", "threat_level"],
  confidence: ["confidence", "confidence_level"],
  first: [
    "first_seen",
    "first_seen_utc",
    "firstseen",
    "dateadded",
    "date_added",
    "date",
    "created",
  ],
  expires: ["expires", "expires_at", "expiration", "expiry", "valid_until"],
  sightings: ["sightings", "count", "hits"],
  to_ids: ["to_ids"],
};

/** Names of columns that hold values of one type, with that type's name. */
const TYPED_NAMES: Readonly<Record<string, string>> = {
  md5: "md5",
  md5_hash: "md5",
  sha1: "sha1",
  sha1_hash: "sha1",
  sha256: "sha256",
  sha256_hash: "sha256",
  path: "path",
  file_path: "path",
  filepath: "path",
  file_name: "filename",
  filename: "filename",
  domain: "domain",
  hostname: "domain",
  host: "domain",
  fqdn: "domain",
  ip: "ip",
  ip_address: "ip",
  ipaddress: "ip",
  dst_ip: "ip",
  ipv4: "ip",
  ipv6: "ip",
  url: "url",
  uri: "url",
};

/**
 * What the columns of a header are.
 *
 * @param header Its fields.
 * @returns The columns, or `undefined` when no column holds values: it is no header.
 */
export function csvColumns(header: readonly string[]): CsvColumns | undefined {
  const names = header.map((field) => field.trim().toLowerCase().replaceAll(/[\s-]+/g, "_"));
  const roles = new Map<CsvRole, number>();
  for (const [role, known] of Object.entries(ROLE_NAMES) as [CsvRole, readonly string[]][]) {
    const at = known.map((name) => names.indexOf(name)).find((place) => place >= 0);
    if (at !== undefined) roles.set(role, at);
  }
  const typed = names.flatMap((name, at): (readonly [number, string])[] => {
    const type = Object.hasOwn(TYPED_NAMES, name) ? TYPED_NAMES[name] : undefined;
    return type === undefined ? [] : [[at, type]];
  });
  return roles.has("value") || typed.length > 0 ? { roles, typed } : undefined;
}
