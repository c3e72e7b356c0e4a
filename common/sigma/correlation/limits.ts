// Bounds of correlation state.

/** Most groups that one correlation keeps; the least recently hit goes first. */
export const GROUPS_PER_RULE_MAX = 4096;
/** Most hits that one group keeps; the oldest goes first. */
export const HITS_PER_GROUP_MAX = 4096;
/** Most bytes of all groups together, as they are reckoned (`window.ts`). */
export const STATE_BYTES_MAX = 16 * 1024 * 1024;
/** Most hits that a match names. */
export const MATCH_MEMBERS_MAX = 64;
/** Most windows that a hit that comes late is tried in, from the earliest on. */
export const LATE_WINDOWS_MAX = 64;
/** Most matches that one hit may lead to, chains included. */
export const MATCHES_PER_HIT_MAX = 1024;
/** How far a hit may be behind the newest of its group, in milliseconds. */
export const LATENESS_MS = 60_000;
/** Longest value that is kept as it is, in UTF-16 units; of a longer one the start and a hash. */
export const VALUE_LENGTH_MAX = 256;
/** Most groups whose last sighting is remembered by `first_seen`, of all rules together. */
export const SIGHTINGS_MAX = 65_536;
