/** Roles of people, each with all that those before it may. */
export const ROLES = ["viewer", "analyst", "responder", "admin"] as const;

/** What a person, or a program in a person's name, may at most. */
export type Role = typeof ROLES[number];

/**
 * Whether a role reaches another one.
 *
 * @param role A role.
 * @param least What is asked for.
 */
export function reaches(role: Role, least: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(least);
}

/**
 * The one of two roles that may less.
 *
 * @param a A role.
 * @param b Another.
 */
export function lesser(a: Role, b: Role): Role {
  return reaches(a, b) ? b : a;
}
