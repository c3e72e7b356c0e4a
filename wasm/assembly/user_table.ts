// Names of users and roles, from context records.

import { ROLES, ROLES_BYTES, USERS, USERS_BYTES } from "./memory";
import { name_entry, name_set } from "./name_table";
import { count, STAT_ROLES_REFUSED, STAT_USERS_REFUSED } from "./stats";

/** Sets the name of a user; refused and counted when the table is full or the name too long. */
export function user_set(uid: u32, text: usize, length: u32): void {
  if (!name_set(USERS, USERS_BYTES, uid, text, length)) count(STAT_USERS_REFUSED);
}

/** Entry of a user's name (name_table.ts), or 0. */
@inline export function user_entry(uid: u32): usize {
  return name_entry(USERS, USERS_BYTES, uid);
}

/** Sets the name of a role. */
export function role_set(role: u32, text: usize, length: u32): void {
  if (!name_set(ROLES, ROLES_BYTES, role, text, length)) count(STAT_ROLES_REFUSED);
}

/** Entry of a role's name, or 0. */
@inline export function role_entry(role: u32): usize {
  return name_entry(ROLES, ROLES_BYTES, role);
}
