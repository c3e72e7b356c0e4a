/** Most agents that are revoked with one request. */
export const REVOKED_AT_ONCE_MAX = 256;
