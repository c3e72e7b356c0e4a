import * as z from "zod";
import { ABOUT, checked } from "./about.ts";
import { parseDetection } from "./detection.ts";
import type { RuleDocument } from "./document.ts";
import type { Expression } from "./expression.ts";
import type { Position } from "./problem.ts";
import { ROLE_IDS } from "./role_ids.ts";
import type { RuleOptions } from "./selection.ts";

/** First id of a role that rule files name beside those. */
const OWN_ROLE_FIRST = 64;
/** Most roles beside those: what a process has had is a set of 64 in the kernel, 8 for the fixed. */
export const OWN_ROLES_MAX = 56;
/** Longest name of a role, in characters. */
const ROLE_NAME_LENGTH_MAX = 48;

/** A role and its id in records. */
export interface RoleName {
  readonly id: number;
  readonly name: string;
}

/** A role document: which programs give a process a role. */
export interface Role {
  readonly name: string;
  readonly title: string;
  /** What the program must be like. */
  readonly expression: Expression;
  readonly position: Position;
}

const ROLE = ABOUT.extend({
  role: z.string().max(ROLE_NAME_LENGTH_MAX).regex(/^[a-z][a-z0-9_]*$/),
  detection: z.record(z.string(), z.unknown()),
});

/**
 * Reads a role document: `role`, `title` and a `detection` over the fields of a program.
 *
 * @param document A document of a rule file with the key `role`.
 * @param options Values of placeholders.
 * @returns The role.
 * @throws {RuleProblem} when it cannot load.
 */
export function parseRole(document: RuleDocument, options: RuleOptions = {}): Role {
  const { role, title, detection } = checked(document, ROLE);
  const { expression } = parseDetection(detection, {
    path: ["detection"],
    locate: document.position,
    ...options,
  });
  return { name: role, title, expression, position: document.start };
}

/**
 * Ids of the roles that are in use: the fixed ones, then others in the order of their first use.
 *
 * @param names Names in the order of their documents.
 * @returns Each role once. Names over `OWN_ROLES_MAX` have none.
 */
export function numberRoles(names: readonly string[]): readonly RoleName[] {
  const fixed = Object.entries(ROLE_IDS).map(([name, id]): RoleName => ({ id, name }));
  const own = [...new Set(names)].filter((name) => !Object.hasOwn(ROLE_IDS, name));
  return [
    ...fixed,
    ...own.slice(0, OWN_ROLES_MAX).map((name, i) => ({ id: OWN_ROLE_FIRST + i, name })),
  ];
}
