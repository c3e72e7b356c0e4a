/** Milliseconds of a day. */
export const DAY_MS = 24 * 60 * 60 * 1000;
/** How long the authority's own certificate holds, in days. */
export const AUTHORITY_DAYS = 3650;
/** How long the server's certificate holds, in days: agents pin it, nobody else trusts it. */
export const SERVER_DAYS = 3650;
/** How long an agent's certificate holds unless told otherwise, in days. */
export const CLIENT_DAYS = 90;
/** Longest that an agent's certificate may hold, in days. */
export const CLIENT_DAYS_MAX = 398;
/** A certificate holds from this long before it was made: clocks of hosts differ. */
export const CLOCK_SKEW_MS = 60 * 60 * 1000;
/**
 * How long certificates of an authority that was replaced are accepted unless told otherwise, in
 * days: by then each agent has renewed, or its certificate has run out.
 */
export const OVERLAP_DAYS = CLIENT_DAYS;
/** The successor of a server certificate is known to agents this long before it is used, in days. */
export const SUCCESSOR_DAYS_MIN = 1;
