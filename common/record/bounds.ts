/** Most watches of a policy, and so of one rule set: the sensor takes no more (IMMUNE_WATCHES_MAX). */
export const WATCHES_MAX = 4096;
/** Kinds from here on are made in user space. */
export const USER_KIND_FIRST = 128;
