/** Most indicators of a set; over it those go that expire first, of the source that has most. */
export const INDICATORS_MAX = 1_000_000;
/** Most sources of a set. */
export const SOURCES_MAX = 256;
/** Most indicators with one value: sources that list it, under so many ids. */
export const PER_VALUE_MAX = 16;
/** Longest name of a source, in bytes. */
export const SOURCE_BYTES_MAX = 64;
/** Longest id, in bytes. */
export const ID_BYTES_MAX = 200;
/** Longest title, in bytes; a longer one is cut. */
export const TITLE_BYTES_MAX = 200;
/** Most labels; more are left out. */
export const LABELS_MAX = 16;
/** Longest label, in bytes; a longer one is cut. */
export const LABEL_BYTES_MAX = 64;
/** Longest path, in bytes (PATH_MAX without its NUL). */
export const PATH_BYTES_MAX = 4095;
/** Longest file name, in bytes (NAME_MAX). */
export const NAME_BYTES_MAX = 255;
/** Longest domain, in bytes (RFC 1035, 2.3.4, as text). */
export const DOMAIN_BYTES_MAX = 253;
/** Longest label of a domain, in bytes. */
export const DOMAIN_LABEL_BYTES_MAX = 63;
/** Longest URL, in bytes. */
export const URL_BYTES_MAX = 2048;
/** Most sightings that are counted. */
export const SIGHTINGS_MAX = 0xFFFF_FFFF;
/** Shortest prefix of an IPv4 network: a shorter one lists a share of everything. */
export const IPV4_PREFIX_MIN = 8;
/** Shortest prefix of an IPv6 network. */
export const IPV6_PREFIX_MIN = 16;
/** Longest file of a set, in bytes. */
export const SET_BYTES_MAX = 512 * 1024 * 1024;
/** Longest line of a CSV feed, in bytes. */
export const CSV_LINE_BYTES_MAX = 64 * 1024;
/** Most fields of a line. */
export const CSV_FIELDS_MAX = 256;
/** Longest CSV feed, in bytes. */
export const CSV_BYTES_MAX = 1024 * 1024 * 1024;
/** Longest JSON feed (STIX, MISP), in bytes: it is held whole. */
export const JSON_BYTES_MAX = 64 * 1024 * 1024;
/** Deepest nesting of a JSON feed. */
export const JSON_DEPTH_MAX = 64;
/** Most values of a JSON feed, as its commas and brackets count them. */
export const JSON_VALUES_MAX = 4_000_000;
/** Longest STIX pattern, in characters. */
export const PATTERN_CHARS_MAX = 64 * 1024;
/** Most comparisons of a STIX pattern. */
export const PATTERN_COMPARISONS_MAX = 4096;
/** Deepest parentheses of a STIX pattern. */
export const PATTERN_DEPTH_MAX = 32;
/** Problems of a feed that are named; more are counted. */
export const PROBLEMS_NAMED_MAX = 1000;
